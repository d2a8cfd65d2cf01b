import { readdirSync } from 'node:fs'

import { expect, it } from 'vitest'

import { createSandbox } from '../../sandbox/run-script.ts'

// In a file of its own: no other sandbox opens anything meanwhile. `bench/sandbox.ts` does it a thousand times.

const openFiles = () => readdirSync('/proc/self/fd').length

const bodies = ['return "x"', 'for (;;) await 1', 'throw 1', 'await new Promise(() => {})']

async function runInNewSandbox(rounds: number) {
  const sandbox = await createSandbox()
  const run = (body: string) =>
    sandbox.run({
      code: `export async function run() { ${body} }`,
      filename: 'script.ts',
      config: {},
      deadline_ms: 600,
    })
  for (let round = 0; round < rounds; round += 1) await Promise.all(bodies.map(run))
  await sandbox.close()
}

it('many runs leave nothing behind (thousand-runs-no-growth)', async () => {
  await runInNewSandbox(1)
  const before = openFiles()
  await runInNewSandbox(5)
  await expect.poll(openFiles, { timeout: 5_000 }).toBeLessThanOrEqual(before)
})
