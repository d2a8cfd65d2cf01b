import dns from 'node:dns/promises'
import net from 'node:net'
import tls from 'node:tls'
import type { LookupAddress } from 'node:dns'

import { kindOf } from './addresses.ts'
import type { Target } from './target.ts'

/** Resolves a name to all its addresses; tests hand in their own. */
export type Resolve = (host: string) => Promise<LookupAddress[]>

const resolveBySystem: Resolve = (host) => dns.lookup(host, { all: true, verbatim: true })

type Connecting = { signal: AbortSignal; resolve: Resolve }

const withoutBrackets = (host: string) => host.replace(/^\[(.*)\]$/, '$1')

function isAllowed(address: string, { may_be_private }: Target): boolean {
  const kind = kindOf(address)
  return kind === 'public' || (kind === 'private' && may_be_private)
}

/** A lookup cannot be called off; this stops waiting for it. */
function untilAborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(new Error('aborted'))
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  return promise
}

async function resolveTarget(target: Target, { signal, resolve }: Connecting): Promise<LookupAddress[]> {
  const host = withoutBrackets(target.host)
  const family = net.isIP(host)
  const addresses =
    family === 0 ? await Promise.race([resolve(host), untilAborted(signal)]) : [{ address: host, family }]
  if (addresses.length === 0) throw new Error(`${target.host} has no address`)
  if (!addresses.every(({ address }) => isAllowed(address, target)))
    throw new Error(`${target.host} is at an address that scripts may not reach`)
  return addresses
}

/** Resolves once the socket has done what `event` names; destroys it where that fails or time is up. */
function readied<Socket extends net.Socket>(
  socket: Socket,
  event: string,
  signal: AbortSignal,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const abort = () => socket.destroy(new Error('aborted'))
  socket.once(event, () => resolve(socket))
  socket.once('error', reject)
  socket.once('close', () => reject(new Error('closed')))
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  return promise.finally(() => signal.removeEventListener('abort', abort))
}

const secure = (socket: net.Socket, host: string) =>
  tls.connect({
    socket,
    host,
    servername: net.isIP(host) === 0 ? host : '',
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: true,
  })

/**
 * A connection of its own for one request, to an address that was looked at. The name is resolved once: what a second
 * answer would say does not matter, and the address at the other end is looked at again.
 */
export async function connectTo(
  target: Target,
  signal: AbortSignal,
  resolve: Resolve = resolveBySystem,
): Promise<net.Socket> {
  const addresses = await resolveTarget(target, { signal, resolve })
  const host = withoutBrackets(target.host)
  const socket = net.connect({
    host,
    port: target.port,
    autoSelectFamily: true,
    lookup: (_, { all }, answer) => {
      const [first] = addresses
      if (all) answer(null, addresses)
      else answer(null, first?.address ?? '', first?.family)
    },
  })
  await readied(socket, 'connect', signal)
  if (!isAllowed(socket.remoteAddress ?? '', target)) {
    socket.destroy()
    throw new Error(`${target.host} is at an address that scripts may not reach`)
  }
  return target.is_tls ? readied(secure(socket, host), 'secureConnect', signal) : socket
}
