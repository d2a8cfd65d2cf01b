import { BlockList, isIP } from 'node:net'

import type { Context } from 'hono'

import type { Env } from './router.ts'

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** An IPv4 address that came over IPv6 is the same one. */
const plain = (address: string): string => address.trim().replace(/^::ffff:(?=[\d.]+$)/i, '')

/** @param proxies addresses, or ranges such as 10.0.0.0/8 */
function listOf(proxies: readonly string[]): BlockList {
  const list = new BlockList()
  for (const proxy of proxies) {
    const [address = '', bits] = proxy.split('/')
    if (bits === undefined) list.addAddress(address, familyOf(address))
    else list.addSubnet(address, Number(bits), familyOf(address))
  }
  return list
}

/** Node's server hands its own request along; undefined where there is none. */
function peerOf(c: Context<Env>): string {
  const { incoming } = (c.env ?? {}) as { incoming?: { socket: { remoteAddress?: string } } }
  return plain(incoming?.socket.remoteAddress ?? '')
}

/** Whoever has one address of an IPv6 network has all of them. */
function networkOf(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail = ''] = address.split('::')
  const [front, back] = [head.split(':'), tail === '' ? [] : tail.split(':')]
  const zeros = Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0')
  const groups = address.includes('::') ? [...front, ...zeros, ...back] : front
  return `${groups.slice(0, 4).join(':')}::/64`
}

/**
 * Whom a call comes from, as a key to count by. X-Forwarded-For is believed only as far back as it was written by
 * proxies of ours: whatever stands before them the caller may have made up.
 */
export function createAddressOf(trusted_proxies: readonly string[]): (c: Context<Env>) => string {
  const proxies = listOf(trusted_proxies)
  const isProxy = (address: string) => isIP(address) !== 0 && proxies.check(address, familyOf(address))
  return (c) => {
    const peer = peerOf(c)
    if (!isProxy(peer)) return networkOf(peer)
    const hops = (c.req.header('x-forwarded-for') ?? '').split(',').map(plain)
    const named = hops.findLast((hop) => !isProxy(hop)) ?? ''
    return networkOf(isIP(named) === 0 ? peer : named)
  }
}
