import { fileURLToPath } from 'node:url'

import { runnerProgram } from './child.ts'
import { plainText } from './endings.ts'
import { exportedNames } from './host-api.ts'
import { createLane } from './lane.ts'
import { defaultLimits, MAX_SOURCE_CHARS } from './limits.ts'
import { findAddon } from './walls/addon.ts'
import { type Level, nextUserId } from './walls/levels.ts'
import { strongestLevel } from './walls/strongest-level.ts'
import { launch, type WalledProcess } from './walls/walled-process.ts'

/** What a source compiles to: JavaScript in which every line and column is the author's. */
export type CompiledScript = { code: string }

/** A source that cannot be run; line and column are the author's, from 1. */
export class ScriptInvalid extends Error {
  override name = 'ScriptInvalid'
  readonly line: number
  readonly column: number

  constructor(message: string, line = 1, column = 1) {
    super(message)
    this.line = line
    this.column = column
  }
}

/** The machine had no time to look at a source, which may be good; try again. */
export class ScriptUnchecked extends Error {
  override name = 'ScriptUnchecked'

  constructor() {
    super('too much is going on to check the script; try again shortly')
  }
}

const checker = fileURLToPath(new URL('./inside/checker.cjs', import.meta.url))
/** A source that needs more processor time is at fault itself; one that waits for a busy machine is not. */
const CHECK_CPU_MS = 5_000
const CHECK_WALL_MS = 20_000
const PATIENCE_MS = 10_000
const RESIDENT_BYTES = 400 * 1024 * 1024
const WATCH_MS = 25
const MAX_ANSWER_CHARS = 8 * MAX_SOURCE_CHARS
const lane = createLane(2, 20)
let levelFound: Promise<Level> | undefined

/**
 * Strips the types of a TypeScript or JavaScript source and checks that it is an ES module which exports `run` or
 * `Run`, imports host modules only and has no top-level await. The source is parsed in a walled process with a time
 * and memory limit and none of it is executed.
 * @throws ScriptInvalid, ScriptUnchecked
 */
export async function compileScript(source: string): Promise<CompiledScript> {
  if (source.length > MAX_SOURCE_CHARS)
    throw new ScriptInvalid(`a script may have ${MAX_SOURCE_CHARS} characters`)
  const noPlace = await lane.enter(PATIENCE_MS, undefined)
  if (noPlace !== null) throw new ScriptUnchecked()
  try {
    return verdict(await check(source.toWellFormed()))
  } finally {
    lane.leave()
  }
}

async function check(source: string): Promise<unknown> {
  const addon = findAddon()
  const node = process.execPath
  const flags = [
    '--no-node-snapshot',
    '--no-warnings',
    '--permission',
    '--allow-addons',
    `--allow-fs-read=${checker}`,
  ]
  const child = launch({
    level: await knownLevel({ node, addon, limits: defaultLimits, program: runnerProgram }),
    cell: { user_id: nextUserId(), data_bytes: 4 * RESIDENT_BYTES, cpu_seconds: 10 },
    command: [node, ...flags, checker, JSON.stringify({ addon, modules: exportedNames() })],
  })
  child.stdin.end(source)
  return await answerOf(child)
}

function knownLevel(settings: Parameters<typeof strongestLevel>[0]): Promise<Level> {
  levelFound ??= strongestLevel(settings).catch((error: unknown) => {
    levelFound = undefined
    throw error
  })
  return levelFound
}

/** What the checker wrote before it ended, or null if it needed or wrote too much. @throws ScriptUnchecked */
async function answerOf(child: WalledProcess): Promise<unknown> {
  let answer = ''
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    child.kill()
  }, CHECK_WALL_MS)
  const watch = setInterval(() => {
    const { resident_bytes, cpu_ms } = child.usage() ?? { resident_bytes: 0, cpu_ms: 0 }
    if (resident_bytes > RESIDENT_BYTES || cpu_ms > CHECK_CPU_MS) child.kill()
  }, WATCH_MS)
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    answer += text
    if (answer.length > MAX_ANSWER_CHARS) child.kill()
  })
  await child.exited
  clearTimeout(timer)
  clearInterval(watch)
  if (isLate) throw new ScriptUnchecked()
  return parse(answer)
}

function parse(answer: string): unknown {
  try {
    return JSON.parse(answer)
  } catch {
    return null
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

function verdict(answer: unknown): CompiledScript {
  const { code, message, line, column }: Record<string, unknown> = isRecord(answer) ? answer : {}
  if (typeof code === 'string') return { code }
  if (typeof message !== 'string')
    throw new ScriptInvalid('the script could not be checked: it is too large or too deeply nested')
  throw new ScriptInvalid(plainText(message), countFrom(line), countFrom(column))
}

const countFrom = (value: unknown) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 1
