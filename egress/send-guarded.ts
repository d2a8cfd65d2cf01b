import http from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

import { connectTo } from './connect.ts'
import type { Resolve } from './connect.ts'
import { readHeaders } from './headers.ts'
import { explainFailure } from './failures.ts'
import { MAX_RESPONSE_BYTES, receiveBody } from './receive.ts'
import { admit } from './target.ts'
import type { EgressPolicy, Target } from './target.ts'

export type { EgressPolicy, Resolve }

export type GuardedRequest = {
  method: string
  url: string
  headers: Record<string, string>
  /** null: the request has none. */
  body: string | null
}

export type GuardedResponse = { status: number; headers: Record<string, string>; body: string }

const MAX_REQUEST_BYTES = 1_000_000

// On the wire: interim answers and framing are not a body, and have no end of their own.
const MAX_HEAD_BYTES = 100_000
const MAX_WIRE_BYTES = 2 * MAX_RESPONSE_BYTES + MAX_HEAD_BYTES

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

function assertSendable({ method, body }: GuardedRequest): void {
  if (Buffer.byteLength(body ?? '') > MAX_REQUEST_BYTES)
    throw new Error(`a request may have ${MAX_REQUEST_BYTES} bytes`)
  if (!methods.has(method)) throw new Error(`the method must be one of ${[...methods].join(', ')}`)
}

/** What can be said against a request without sending it. @throws Error for whoever wrote the script */
export function assertAdmitted(request: GuardedRequest, policy: EgressPolicy): void {
  assertSendable(request)
  readHeaders(request.headers)
  admit(request.url, policy)
}

const hostHeader = ({ host, port, is_tls }: Target) =>
  port === (is_tls ? 443 : 80) ? host : `${host}:${port}`

/** Ends an exchange once more has arrived than an answer within the limits can need. */
function boundAnswer(request: ClientRequest): void {
  let response: IncomingMessage | undefined
  let received = 0
  request.once('response', (head) => (response = head))
  request.once('socket', (socket) =>
    socket.on('data', (chunk: Buffer) => {
      received += chunk.byteLength
      if (received > (response === undefined ? MAX_HEAD_BYTES : MAX_WIRE_BYTES))
        (response ?? request).destroy(new Error('the server sends more than an answer may have'))
    }),
  )
}

type Sending = { target: Target; socket: Socket; headers: Record<string, string>; signal: AbortSignal }

/** Writes the request to a connection of its own, and gives the head of the response: of whatever status, a redirect too. */
function exchange({ method, body }: GuardedRequest, sending: Sending): Promise<IncomingMessage> {
  const { target, socket, headers, signal } = sending
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const length = body === null ? undefined : Buffer.byteLength(body)
  const request = http.request({
    method,
    path: `${target.url.pathname}${target.url.search}`,
    createConnection: () => socket,
    setHost: false,
    headers: {
      'user-agent': 'Hallpass',
      accept: '*/*',
      ...headers,
      host: hostHeader(target),
      'accept-encoding': 'gzip, br, deflate',
      ...(length !== undefined && { 'content-length': length }),
    },
    signal,
  })
  boundAnswer(request)
  request.once('response', resolve)
  request.once('error', reject)
  // Without a listener an upgrade would end as a silent close.
  request.once('upgrade', () => reject(new Error('the server answered with another protocol')))
  request.end(body ?? undefined)
  return promise
}

const headersOf = (response: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(response.headersDistinct).map(([name, values = []]) => [name, values.join(', ')]),
  )

/**
 * Sends one request where the policy admits it, and nowhere else: by https, to a public address that was looked at
 * before and after connecting, on a connection of its own, without following redirects. The response is capped.
 * @throws Error with a sentence for whoever wrote the script, and nothing of this machine
 */
export async function sendGuarded(
  request: GuardedRequest,
  policy: EgressPolicy,
  { signal, resolve }: { signal: AbortSignal; resolve?: Resolve },
): Promise<GuardedResponse> {
  assertSendable(request)
  const target = admit(request.url, policy)
  const headers = readHeaders(request.headers)
  let socket: Socket | undefined
  try {
    socket = await connectTo(target, signal, resolve)
    const response = await exchange(request, { target, socket, headers, signal })
    const body = await receiveBody(response)
    return { status: response.statusCode ?? 0, headers: headersOf(response), body }
  } catch (error) {
    throw explainFailure(error, target.host, signal)
  } finally {
    socket?.destroy()
  }
}
