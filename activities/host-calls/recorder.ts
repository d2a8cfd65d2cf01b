import { createHash } from 'node:crypto'

import type { RecordedCall } from '../../db/scripts/recordings.ts'
import type { HostHandler, HostHandlers } from '../../sandbox/host-calls.ts'
import { isPlain, isRequest, readRequest } from './http.ts'

type Mask = (text: string) => string

const MAX_BYTES = 262_144
const MAX_KEY_CHARS = 10_000

function maskAll(value: unknown, mask: Mask): unknown {
  if (typeof value === 'string') return mask(value)
  if (Array.isArray(value)) return value.map((member) => maskAll(member, mask))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [mask(key), maskAll(member, mask)]))
}

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8)

function describeHttp(args: unknown[], mask: Mask) {
  const { method, url, body } = readRequest(args)
  const target = mask(url)
  const sent = mask(body ?? '')
  const load = body === null ? '' : `, body of ${Buffer.byteLength(sent)} bytes (${digestOf(sent)})`
  return { key: `${method} ${target}`, shown: `${method} ${target.replace(/[?#].*$/s, '')}${load}` }
}

function describeArguments(operation: string, args: unknown[], mask: Mask) {
  const text = mask(JSON.stringify(args))
  return { key: text, shown: `${operation} ${text}` }
}

/** What tells one host call from another, in the run that made it and in every replay. */
export function describeCall(operation: string, args: unknown[], mask: Mask) {
  const isHttp = operation === 'http.request' && isRequest(args)
  const { key, shown } = isHttp ? describeHttp(args, mask) : describeArguments(operation, args, mask)
  return { operation, key: key.slice(0, MAX_KEY_CHARS), shown: shown.slice(0, 500) }
}

const sizeOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value))

/** The calls as far as they may be kept. An answer that does not fit goes first, then whatever comes after. */
function fit(calls: RecordedCall[]): RecordedCall[] {
  const kept: RecordedCall[] = []
  let left = MAX_BYTES
  for (const call of calls) {
    const { value: _, ...slim } = call
    const candidates: RecordedCall[] = [call, { ...slim, is_dropped: true }]
    const fitting = candidates.find((candidate) => sizeOf(candidate) + 1 <= left)
    if (fitting === undefined) break
    kept.push(fitting)
    left -= sizeOf(fitting) + 1
  }
  return kept
}

type Made = { operation: string; args: unknown[]; value?: unknown; error?: string; is_dropped?: true }

/** Answers host calls as `handlers` do, and tells afterwards what was asked and answered, secrets by name. */
export function createRecorder(handlers: HostHandlers, mask: Mask) {
  const made: Made[] = []
  let left = MAX_BYTES

  // What is not going to be kept is not held in memory either, nor masked at the end.
  function keep(value: unknown): Pick<Made, 'value' | 'is_dropped'> {
    const size = sizeOf(value)
    if (size > left) return { is_dropped: true }
    left -= size
    return { value }
  }

  const recording =
    (operation: string, handler: HostHandler): HostHandler =>
    async (args, context) => {
      const call: Made = { operation, args }
      made.push(call)
      try {
        const value = (await handler(args, context)) ?? null
        Object.assign(call, keep(value))
        return value
      } catch (error) {
        call.error = isPlain(error) ? error.message : 'the call could not be made'
        throw error
      }
    }
  return {
    handlers: Object.fromEntries(
      Object.entries(handlers).map(([operation, handler]) => [operation, recording(operation, handler)]),
    ),
    calls: (): RecordedCall[] =>
      fit(
        made.map(({ operation, args, value, error, is_dropped }) => ({
          ...describeCall(operation, args, mask),
          ...(value !== undefined && { value: maskAll(value, mask) }),
          ...(error !== undefined && { error: mask(error) }),
          ...(is_dropped && { is_dropped }),
        })),
      ),
    maskAll: (config: Record<string, string>) => maskAll(config, mask) as Record<string, string>,
  }
}
