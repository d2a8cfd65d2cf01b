import { afterAll, expect } from 'vitest'

import {
  createSandbox,
  type RunInput,
  type RunResult,
  type SandboxOptions,
} from '../../sandbox/run-script.ts'

/** A sandbox for the tests of a file: real children behind the walls of this machine; closed after the last test. */
export async function openSandbox(options: SandboxOptions = {}) {
  const sandbox = await createSandbox(options)
  afterAll(() => sandbox.close())

  const run = (code: string, more: Partial<RunInput> = {}): Promise<RunResult> =>
    sandbox.run({ code, filename: 'script.ts', config: {}, deadline_ms: 10_000, ...more })
  /** Runs the body as the script's `run`. */
  const runBody = (body: string, more: Partial<RunInput> = {}) =>
    run(`export async function run() { ${body} }`, more)
  const expectNextRunToWork = async () =>
    expect(await runBody('return "next"')).toMatchObject({ result: 'next' })

  return { sandbox, run, runBody, expectNextRunToWork }
}
