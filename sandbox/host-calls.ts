import { plainText } from './endings.ts'
import type { Limits } from './limits.ts'
import type { Called, ToChild } from './wire/messages.ts'

/** Answers a host call of a script. The arguments come from the script: the handler validates them. */
export type HostHandler = (args: unknown[], context: { signal: AbortSignal }) => Promise<unknown>

/** What answers the host calls of a run, by `module.method`. */
export type HostHandlers = Record<string, HostHandler>

type Reply = Extract<ToChild, { type: 'reply' }>

const MESSAGE_CHARS = 500

/** The budget of a run as the parent keeps it; false when the child went past what it should have refused itself. */
export function createBudget(limits: Limits): (call: Called) => boolean {
  let calls = 0
  let httpCalls = 0
  let sent = 0
  return ({ operation, args }) => {
    calls += 1
    if (operation === 'http.request') httpCalls += 1
    sent += JSON.stringify(args).length
    return calls <= limits.calls && httpCalls <= limits.http_calls && sent <= limits.sent_chars
  }
}

/** The reply to a host call; it comes in time and is never a rejection. */
export async function answerCall(
  call: Called,
  { handlers, limits, signal }: { handlers: HostHandlers; limits: Limits; signal: AbortSignal },
): Promise<Reply> {
  const expiry = AbortSignal.timeout(limits.host_call_ms)
  try {
    const handler = Object.hasOwn(handlers, call.operation) ? handlers[call.operation] : undefined
    if (handler === undefined) return refuse(call, 'is not available to this run')
    const context = { signal: AbortSignal.any([signal, expiry]) }
    const value = await Promise.race([handler(call.args, context), untilAborted(context.signal)])
    return accept(call, JSON.stringify(value ?? null), limits)
  } catch (error) {
    if (expiry.aborted) return refuse(call, `did not answer within ${limits.host_call_ms / 1000} s`)
    return refuse(call, `failed${publicReason(error)}`)
  }
}

function accept({ id, operation }: Called, text: string, limits: Limits): Reply {
  if (Buffer.byteLength(text) > limits.reply_bytes)
    return refuse({ id, operation }, 'answered with more than a script may receive')
  return { type: 'reply', id, succeeded: true, text }
}

const refuse = ({ id, operation }: Pick<Called, 'id' | 'operation'>, reason: string): Reply => ({
  type: 'reply',
  id,
  succeeded: false,
  text: `${operation} ${reason}`,
})

// A plain Error was written for the author of the script. Any other (a TypeError, one with the code of the
// system or a database) may name paths and addresses of the host, and is not told.
function publicReason(error: unknown): string {
  const isPlain = error instanceof Error && error.constructor === Error && !('code' in error)
  return isPlain ? `: ${plainText(error.message).slice(0, MESSAGE_CHARS)}` : ''
}

function untilAborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
  return promise
}
