import type { Call } from '../../domain/script-call.ts'
import { assertAdmitted, sendGuarded } from '../../egress/send-guarded.ts'
import type { EgressPolicy, GuardedRequest, GuardedResponse } from '../../egress/send-guarded.ts'
import { readTarget } from '../../egress/target.ts'
import type { HostHandler } from '../../sandbox/host-calls.ts'
import type { Vault } from './vault.ts'

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isTextRecord = (value: unknown): value is Record<string, string> =>
  isRecord(value) && Object.values(value).every((member) => typeof member === 'string')

/** Whether a child sends what the isolate makes of a call; one that does not is not the one that was started. */
export const isRequest = (args: unknown[]): args is [GuardedRequest] => isWhole(args[0])

function isWhole(given: unknown): given is GuardedRequest {
  if (!isRecord(given)) return false
  const { method, url, headers, body } = given
  const isAddressed = typeof method === 'string' && typeof url === 'string' && isTextRecord(headers)
  return isAddressed && (typeof body === 'string' || body === null)
}

export function readRequest(args: unknown[]): GuardedRequest {
  if (!isRequest(args)) throw new Error('the request is not complete')
  const [{ method, url, headers, body }] = args
  return { method, url, headers, body }
}

/** Written for the author of a script. */
export const isPlain = (error: unknown): error is Error =>
  error instanceof Error && error.constructor === Error && !('code' in error)

/** The path alone, of a URL in which secrets have names. */
export const pathOf = (shownUrl: string): string | null =>
  /^[a-z]+:\/\/[^/?#]*([^?#]*)/i.exec(shownUrl)?.[1]?.slice(0, 500) ?? null

/** How a test run calls: each call is checked and shown as it would leave, and made only if asked for. */
export type TestCalls = { make_calls: boolean }

const neutral: GuardedResponse = { status: 200, headers: {}, body: '' }

type Calling = {
  vault: Vault
  policy: EgressPolicy
  /** What is written down of each call, while it is made. */
  calls: Call[]
  /** The same for every attempt at telling a task of the same event. */
  idempotency_key: string
  /** Undefined: this is a real run. */
  test: TestCalls | undefined
}

/** Answers `http.request`: fills secrets in, sends, masks what comes back, and writes the call down. */
export function createHttpHandler({ vault, policy, calls, idempotency_key, test }: Calling): HostHandler {
  let posts = 0

  function begin({ method, url, body }: GuardedRequest): Call {
    const call: Call = {
      method: method.slice(0, 20),
      host: null,
      path: pathOf(vault.mask(url)),
      status: null,
      ms: null,
      bytes_sent: Buffer.byteLength(body ?? ''),
      bytes_received: 0,
      error: 'the run ended before the answer',
      ...(test && { made: false }),
    }
    calls.push(call)
    return call
  }

  /** So that a service that knows the header does a thing once, however often the script is tried. */
  function withKey(request: GuardedRequest): GuardedRequest {
    const names = Object.keys(request.headers).map((name) => name.toLowerCase())
    if (request.method !== 'POST' || names.includes('idempotency-key')) return request
    posts += 1
    return { ...request, headers: { ...request.headers, 'idempotency-key': `${idempotency_key}-${posts}` } }
  }

  const maskedHeaders = (headers: Record<string, string>): Record<string, string> =>
    Object.fromEntries(Object.entries(headers).map(([name, value]) => [vault.mask(name), vault.mask(value)]))

  const masked = ({ status, headers, body }: GuardedResponse): GuardedResponse => ({
    status,
    headers: maskedHeaders(headers),
    body: vault.mask(body),
  })

  /** Null: the call is not made. */
  function exchange(request: GuardedRequest, call: Call, signal: AbortSignal) {
    if (test === undefined) return sendGuarded(request, policy, { signal })
    call.headers = maskedHeaders(request.headers)
    assertAdmitted(request, policy)
    call.made = test.make_calls
    return test.make_calls ? sendGuarded(request, policy, { signal }) : null
  }

  async function send(request: GuardedRequest, call: Call, signal: AbortSignal): Promise<GuardedResponse> {
    const filled = await vault.fillIn(withKey(request))
    call.host = vault.mask(readTarget(filled.url).host)
    call.bytes_sent = Buffer.byteLength(filled.body ?? '')
    const response = await exchange(filled, call, signal)
    call.error = null
    if (response === null) return neutral
    call.status = response.status
    call.bytes_received = Buffer.byteLength(response.body)
    return masked(response)
  }

  return async (args, { signal }) => {
    const request = readRequest(args)
    const call = begin(request)
    const startedAt = performance.now()
    try {
      return await send(request, call, signal)
    } catch (error) {
      call.error = isPlain(error) ? vault.mask(error.message) : 'the call could not be made'
      throw isPlain(error) ? new Error(call.error) : error
    } finally {
      call.ms = Math.round(performance.now() - startedAt)
    }
  }
}
