import { availableParallelism } from 'node:os'

import { type Child, runnerProgram, startChild } from './child.ts'
import { type Assignment, converse, type Ending } from './conversation.ts'
import { type EndedBy, explain } from './endings.ts'
import type { HostHandlers } from './host-calls.ts'
import { createLane, type Lane } from './lane.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { createPool, type Pool } from './pool.ts'
import { findAddon } from './walls/addon.ts'
import { isAtLeast, type Level, levelNames, missingWalls } from './walls/levels.ts'
import { strongestLevel } from './walls/strongest-level.ts'

export type { HostHandlers }

/**
 * One run of a compiled script. `deadline_ms` is wall time from the call, waiting for a place included; with
 * `patience_ms`, which is how long it may wait for a place, it is wall time from having one.
 */
export type RunInput = {
  code: string
  filename: string
  config: Record<string, string>
  /** What `secrets.get` gives: an opaque placeholder per name, never a value. */
  secrets?: Record<string, string>
  handlers?: HostHandlers
  deadline_ms: number
  patience_ms?: number | undefined
  lane?: LaneName
  /** Aborting it kills the script and ends the run as `cancelled`. */
  signal?: AbortSignal
}

export type RunResult = Ending & { status: 'succeeded' | 'failed'; duration_ms: number }

/** Runs scripts, each in a process of its own behind the strongest walls that this machine allows. */
export type Sandbox = {
  /** Never rejects: how a run failed is in its result. */
  run(input: RunInput): Promise<RunResult>
  /** `block_refusal` says why runs of the lane `block` are refused; null: they are not. */
  level(): LevelFacts
  close(): Promise<void>
}

type LevelFacts = {
  name: string
  minimum: string
  walls: string[]
  missing: string[]
  block_refusal: string | null
}

type LaneName = 'block' | 'ordinary'

/**
 * `pool_size` children wait in each lane. Where the walls are weaker than the level `block_minimum`, runs of the lane
 * `block` are refused. `report` gets what children that failed wrote to stderr: for operators, never
 * for authors. `limits`, `levels` and `program` are for tests of the walls themselves.
 */
export type SandboxOptions = {
  pool_size?: number
  max_concurrent?: Record<LaneName, number>
  block_minimum?: string | undefined
  node?: string
  report?: (complaint: string) => void
  limits?: Partial<Limits>
  levels?: readonly Level[]
  program?: string
}

const QUEUE_LENGTH = 100
const defaultPlaces = { block: 4, ordinary: Math.max(1, availableParallelism() - 1) }

// Somebody waits for a block run; the others leave the processor to the product first. Not the whole way to 19: the
// time limits of a script go on while it waits for the processor.
const niceness = { block: 0, ordinary: 10 }

/** Finds the strongest walls that this machine allows and has children wait behind them; rejects if none can be started. */
export async function createSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { max_concurrent = defaultPlaces, node = process.execPath, report = warn } = options
  const limits = { ...defaultLimits, ...options.limits }
  const settings = { node, addon: findAddon(), limits, program: runnerProgram }
  const level = await strongestLevel(settings, options.levels)
  const program = options.program ?? runnerProgram
  const open = (name: LaneName): Section => ({
    lane: createLane(max_concurrent[name], QUEUE_LENGTH),
    pool: createPool(options.pool_size ?? 1, () =>
      startChild({ ...settings, level, program, niceness: niceness[name] }),
    ),
  })
  const sections = { block: open('block'), ordinary: open('ordinary') }
  const blockRefusal = refusalOf(level, options.block_minimum)
  const closing = new AbortController()
  const underWay = new Set<Promise<RunResult>>()
  return {
    async run(input) {
      const { lane = 'ordinary' } = input
      if (lane === 'block' && blockRefusal !== null) return refused(blockRefusal)
      const run = runIn(sections[lane], input, { limits, report, closing: closing.signal })
      underWay.add(run)
      return await run.finally(() => underWay.delete(run))
    },
    level: () => ({
      name: level.name,
      minimum: options.block_minimum ?? weakestLevel,
      walls: [...level.walls],
      missing: missingWalls(level),
      block_refusal: blockRefusal,
    }),
    async close() {
      closing.abort()
      await Promise.all(underWay)
      await Promise.all([sections.block.pool.close(), sections.ordinary.pool.close()])
    },
  }
}

const weakestLevel = levelNames.at(-1) ?? 'process'

function refusalOf(level: Level, minimum: string | undefined): string | null {
  if (minimum === undefined || isAtLeast(level, minimum)) return null
  return `scripts that can block an approval need the isolation level ${minimum} (SANDBOX_MIN_LEVEL), and this machine allows ${level.name} only`
}

type Section = { lane: Lane; pool: Pool }
type Surroundings = { limits: Limits; report: (complaint: string) => void; closing: AbortSignal }
type Clock = { left: () => number; restart: () => void; signal: AbortSignal }

async function runIn(section: Section, input: RunInput, surroundings: Surroundings): Promise<RunResult> {
  const calledAt = performance.now()
  let startedAt = calledAt
  const left = () => Math.max(0, input.deadline_ms - (performance.now() - startedAt))
  const restart = () => void (startedAt = performance.now())
  const signal = AbortSignal.any([surroundings.closing, input.signal ?? surroundings.closing])
  const ending = await endingOf(section, input, { ...surroundings, left, restart, signal })
  const status = ending.ended_by === 'returned' ? 'succeeded' : 'failed'
  return { status, ...ending, duration_ms: Math.round(performance.now() - calledAt) }
}

async function endingOf(
  { lane, pool }: Section,
  input: RunInput,
  { limits, report, left, restart, signal }: Surroundings & Clock,
): Promise<Ending> {
  const noPlace = await lane.enter(input.patience_ms ?? left(), signal)
  if (noPlace !== null) return neverRan(noPlace)
  if (input.patience_ms !== undefined) restart()
  try {
    const child = await inTime(pool.take(), left(), signal)
    if (child === null) return neverRan(signal.aborted ? 'cancelled' : 'wall')
    const ending = await converse(child, assignmentOf(input), { limits, time_ms: left(), signal })
    if (unexpected.has(ending.ended_by)) report(`a script process ${ending.ended_by}: ${child.complaint()}`)
    return ending
  } catch (error) {
    report(String(error))
    return neverRan('crashed')
  } finally {
    lane.leave()
  }
}

// What the author of a script can hardly have caused: an operator should know.
const unexpected: ReadonlySet<EndedBy> = new Set(['crashed', 'killed'])

const warn = (complaint: string) => process.emitWarning(complaint, 'SandboxWarning')

const neverRan = (endedBy: EndedBy, message = ''): Ending => ({
  ended_by: endedBy,
  result: null,
  error: explain(endedBy, { message, line: null, column: null }),
  log: [],
  cpu_ms: null,
})

const refused = (reason: string): RunResult => ({
  status: 'failed',
  ...neverRan('invalid', reason),
  duration_ms: 0,
})

// The name shows in stacks that a script can read and is searched for in them.
const plainName = (filename: string) => filename.replace(/[^\w.-]/g, '_').slice(-100) || 'script.ts'

const assignmentOf = ({ code, filename, config, secrets = {}, handlers = {} }: RunInput): Assignment => ({
  code,
  filename: plainName(filename),
  config,
  secrets,
  handlers,
})

/** The child, or null if it did not come in time: then it is killed when it comes. */
async function inTime(taking: Promise<Child>, time_ms: number, signal: AbortSignal): Promise<Child | null> {
  const { promise: late, resolve: giveUp } = Promise.withResolvers<null>()
  const stop = () => giveUp(null)
  const timer = setTimeout(stop, time_ms)
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  const child = await Promise.race([taking, late]).finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  })
  if (child === null) taking.then((unused) => unused.kill()).catch(() => {})
  return child
}
