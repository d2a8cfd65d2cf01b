import { readdirSync } from 'node:fs'
import os from 'node:os'

import { createSandbox } from '../sandbox/run-script.ts'
import { watchChildren } from './children.ts'
import { median, print, quantile, range, time } from './figures.ts'
import { inBareIsolate, inSandbox, prepareDeno, type Way } from './ways.ts'

/**
 * What the walls cost: a run in a waiting child, beside a bare isolate in this process, a walled process that is
 * started for each run, and the same script in Deno (`DENO` names its program). The four are interleaved in rounds.
 * Then many runs one after the other, two at a time: how many a second, and what they leave behind.
 */
const rounds = Number(process.argv[2] ?? 7)
const perRound = Number(process.argv[3] ?? 12)
const manyRuns = Number(process.argv[4] ?? 1_000)

const REFILL_DELAY_MS = 150
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

type Leg = { name: string; way: Way; before?: () => Promise<void>; rounds: number[][] }

async function measureWays(): Promise<void> {
  const children = watchChildren(1_000_000 + process.pid)
  const pooled = await createSandbox({ limits: children.limits })
  const unpooled = await createSandbox({ pool_size: 0 })
  const deno = process.env['DENO'] === undefined ? null : prepareDeno(process.env['DENO'])
  const untilOneWaits = async () => {
    await pause(REFILL_DELAY_MS)
    await children.settled()
  }
  const legs: Leg[] = [
    { name: 'waiting child', way: inSandbox(pooled), before: untilOneWaits, rounds: [] },
    { name: 'bare isolate', way: inBareIsolate, before: untilOneWaits, rounds: [] },
    { name: 'process per run', way: inSandbox(unpooled), rounds: [] },
    ...(deno ? [{ name: 'Deno', way: deno.run, rounds: [] }] : []),
  ]
  for (const { way } of legs) await way()
  for (let round = 0; round < rounds; round += 1) await measureRound(legs)
  await untilOneWaits()
  const memory = children.memory()
  print(`level ${pooled.level().name}; ${rounds} rounds of ${perRound}, interleaved; ${machine()}`)
  for (const leg of legs) printLeg(leg, legs[0]?.rounds ?? [])
  if (deno === null) print('Deno             not measured: DENO does not name its program')
  print(
    `memory of each waiting child (PSS): ${memory.map((megabytes) => megabytes.toFixed(0)).join(', ')} MB`,
  )
  deno?.close()
  await pooled.close()
  await unpooled.close()
}

async function measureRound(legs: Leg[]): Promise<void> {
  for (const leg of legs) leg.rounds.push([])
  for (let index = 0; index < perRound; index += 1)
    for (const { way, before, rounds } of legs) {
      await before?.()
      await time(rounds.at(-1) ?? [], way)
    }
}

function printLeg({ name, rounds }: Leg, base: number[][]): void {
  const p50 = rounds.map(median)
  const ratios = p50.map((value, round) => value / median(base[round] ?? []))
  const p95 = quantile(rounds.flat(), 0.95).toFixed(1).padStart(6)
  print(
    `${name.padEnd(16)} p50 ${median(p50).toFixed(1).padStart(6)} ms (rounds ${range(p50)})  p95 ${p95} ms  ratio to a waiting child ${median(ratios).toFixed(2)} (${range(ratios)})`,
  )
}

const machine = () =>
  `${os.availableParallelism()} cores, Node ${process.versions.node}; load ${os.loadavg()[0]?.toFixed(2)}`

const held = () => ({
  heap_mb: (globalThis.gc?.(), process.memoryUsage().heapUsed / 2 ** 20),
  files: readdirSync('/proc/self/fd').length,
  handles: process.getActiveResourcesInfo().length,
})

type Held = ReturnType<typeof held>

/** Each run has a process of its own, so this is how fast walled processes can be started. */
async function measureMany(): Promise<void> {
  const settle = async (sandbox: Awaited<ReturnType<typeof createSandbox>>): Promise<Held> => {
    await sandbox.close()
    await pause(500)
    return held()
  }
  const runMany = async (count: number): Promise<{ perSecond: number; left: Held }> => {
    const sandbox = await createSandbox()
    const way = inSandbox(sandbox)
    const began = performance.now()
    let started = 0
    const work = async () => {
      while (started++ < count) await way()
    }
    await Promise.all([work(), work()])
    const perSecond = (1_000 * count) / (performance.now() - began)
    return { perSecond, left: await settle(sandbox) }
  }
  const { left: before } = await runMany(Math.ceil(manyRuns / 10))
  const { perSecond, left: after } = await runMany(manyRuns)
  print(`${manyRuns} runs, two at a time: ${perSecond.toFixed(1)} a second; ${machine()}`)
  const grown = (name: keyof Held) => `${before[name].toFixed(1)} → ${after[name].toFixed(1)}`
  print(
    `kept after them: heap ${grown('heap_mb')} MB, open files ${grown('files')}, handles ${grown('handles')}`,
  )
  if (after.files > before.files || after.handles > before.handles || after.heap_mb > before.heap_mb + 3)
    throw new Error('the runs left something behind')
}

await measureWays()
await measureMany()
process.exit(0)
