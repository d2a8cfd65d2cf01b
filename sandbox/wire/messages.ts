import { type LogLevel, logLevels, productCalls } from '../host-api.ts'

/** How a run can end by the child's own account; the other ends are the parent's to say. */
export const endsToldByTheChild = [
  'returned',
  'threw',
  'unhandled_rejection',
  'stalled',
  'slice',
  'cpu',
  'memory',
  'output',
  'host_call',
  'invalid',
] as const

export type ScriptError = { message: string; line: number | null; column: number | null }

export type Ready = { type: 'ready' }
export type Logged = { type: 'log'; level: LogLevel; text: string }
export type Called = { type: 'call'; id: number; operation: string; args: unknown[] }
export type Done = {
  type: 'done'
  ended_by: (typeof endsToldByTheChild)[number]
  result: string | null
  error: ScriptError | null
  dropped_lines: number
  cpu_ms: number | null
}
export type FromChild = Ready | Logged | Called | Done

export type ToChild =
  | {
      type: 'run'
      code: string
      filename: string
      config: Record<string, string>
      secrets: Record<string, string>
    }
  | { type: 'reply'; id: number; succeeded: boolean; text: string }

type Guard<T> = (value: unknown) => value is T

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function exactly<T extends object>(fields: { [Key in keyof T]: Guard<T[Key]> }): Guard<T> {
  const guards = Object.entries<Guard<unknown>>(fields)
  return (value): value is T =>
    isObject(value) &&
    Object.keys(value).length === guards.length &&
    guards.every(([name, guard]) => Object.hasOwn(value, name) && guard(value[name]))
}

const literal =
  <T extends string>(...allowed: readonly T[]): Guard<T> =>
  (value): value is T =>
    allowed.some((each) => each === value)
const nullOr =
  <T>(guard: Guard<T>): Guard<T | null> =>
  (value): value is T | null =>
    value === null || guard(value)
const MAX_COUNT = 2 ** 31 - 1
const MAX_MESSAGE_CHARS = 4_096
const MAX_DEPTH = 3

const isCount: Guard<number> = (value): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MAX_COUNT
const isText: Guard<string> = (value): value is string => typeof value === 'string'
const isCall: Guard<string> = (value): value is string => typeof value === 'string' && productCalls.has(value)
const isMessage: Guard<string> = (value): value is string =>
  isText(value) && value.length <= MAX_MESSAGE_CHARS

// What nests deeper is text in the isolate already; here it could exhaust the stack of whoever walks it.
const isFlat = (value: unknown, depth = 0): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (depth < MAX_DEPTH && Object.values(value).every((member) => isFlat(member, depth + 1)))
const isArguments: Guard<unknown[]> = (value): value is unknown[] => Array.isArray(value) && isFlat(value)

const isError = exactly<ScriptError>({ message: isMessage, line: nullOr(isCount), column: nullOr(isCount) })

const guards: { [Message in FromChild as Message['type']]: Guard<Message> } = {
  ready: exactly<Ready>({ type: literal('ready') }),
  log: exactly<Logged>({ type: literal('log'), level: literal(...logLevels), text: isText }),
  call: exactly<Called>({ type: literal('call'), id: isCount, operation: isCall, args: isArguments }),
  done: exactly<Done>({
    type: literal('done'),
    ended_by: literal(...endsToldByTheChild),
    result: nullOr(isText),
    error: nullOr(isError),
    dropped_lines: isCount,
    cpu_ms: nullOr(isCount),
  }),
}

/** The message that a frame holds, or null: one field too many, too few or of another kind and nothing of it is used. */
export function readMessage(value: unknown): FromChild | null {
  for (const guard of Object.values<Guard<FromChild>>(guards)) if (guard(value)) return value
  return null
}
