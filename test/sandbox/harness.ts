import { afterAll, expect } from 'vitest'

import {
  createSandbox,
  type RunInput,
  type RunResult,
  type SandboxOptions,
} from '../../sandbox/run-script.ts'

type WhenDone = (close: () => Promise<void>) => void

/** A sandbox for the tests of a file, or with `onTestFinished` for one: real children behind the walls of this machine. */
export async function openSandbox(options: SandboxOptions = {}, whenDone: WhenDone = afterAll) {
  const sandbox = await createSandbox(options)
  whenDone(() => sandbox.close())

  const run = (code: string, more: Partial<RunInput> = {}): Promise<RunResult> =>
    sandbox.run({ code, filename: 'script.ts', config: {}, deadline_ms: 10_000, ...more })
  /** Runs the body as the script's `run`. */
  const runBody = (body: string, more: Partial<RunInput> = {}) =>
    run(`export async function run() { ${body} }`, more)
  const expectNextRunToWork = async () =>
    expect(await runBody('return "next"')).toMatchObject({ result: 'next' })

  return { sandbox, run, runBody, expectNextRunToWork }
}
