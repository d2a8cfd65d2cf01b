import { afterAll, expect, test } from 'vitest'

import { type Child, runnerProgram, startChild } from '../../sandbox/child.ts'
import { defaultLimits } from '../../sandbox/limits.ts'
import { createPool } from '../../sandbox/pool.ts'
import { findAddon } from '../../sandbox/walls/addon.ts'
import { strongestLevel } from '../../sandbox/walls/strongest-level.ts'

const settings = {
  node: process.execPath,
  addon: findAddon(),
  limits: defaultLimits,
  program: runnerProgram,
}
const level = await strongestLevel(settings)
const started: Child[] = []
const pool = createPool(1, async () => {
  const child = await startChild({ ...settings, level })
  started.push(child)
  return child
})
afterAll(async () => {
  await pool.close()
  for (const child of started) child.kill()
})

const firstStarted = () => expect.poll(() => started[0], { timeout: 30_000 }).toBeDefined()

/** Within one turn of the event loop, so that Node has not heard of it. */
function killUnheard(child: Child): void {
  child.kill()
  const end = Date.now() + 10_000
  while (child.usage() !== null && Date.now() < end);
}

test.runIf(process.platform === 'linux')('a child that has just died is not handed out', async () => {
  await firstStarted()
  const [first] = started
  killUnheard(first as Child)
  const taken = await pool.take()
  expect(taken).not.toBe(first)
  expect(taken.isAlive()).toBe(true)
})

test('a child that waits is handed out once', async () => {
  const [one, other] = await Promise.all([pool.take(), pool.take()])
  expect(one).not.toBe(other)
  expect([one.isAlive(), other.isAlive()]).toEqual([true, true])
})
