import { BlockList, isIP } from 'node:net'

/** `forbidden` is never reached, whatever the operator allows: metadata services, link-local, multicast, tunnels. */
export type AddressKind = 'public' | 'private' | 'forbidden'

type Range = readonly [network: string, prefix: number]

function listOf(v4: readonly Range[], v6: readonly Range[]): (address: string) => boolean {
  const list = new BlockList()
  for (const [network, prefix] of v4) list.addSubnet(network, prefix, 'ipv4')
  for (const [network, prefix] of v6) list.addSubnet(network, prefix, 'ipv6')
  return (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

// AWS, GCP and Alibaba Cloud tell credentials at these; Azure's is an address of the public range.
const isMetadata = listOf(
  [
    ['168.63.129.16', 32],
    ['100.100.100.200', 32],
  ],
  [
    ['fd00:ec2::', 32],
    ['fd20:ce::', 32],
  ],
)

const isPrivate = listOf(
  [
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
  ],
  [
    ['::1', 128],
    ['fc00::', 7],
  ],
)

// IANA's special-purpose registries, less what is private.
const isSpecial = listOf(
  [
    ['0.0.0.0', 8],
    ['169.254.0.0', 16],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.88.99.0', 24],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 3],
  ],
  [
    ['2001::', 23],
    ['2001:db8::', 32],
    ['2002::', 16],
    ['3fff::', 20],
  ],
)

// Everything else of IPv6 is unassigned or embeds an IPv4 address: mapped, compatible, NAT64.
const isGlobalV6 = listOf([], [['2000::', 3]])

/** What kind of address it is; anything that is not one, a zone index included, is forbidden. */
export function kindOf(address: string): AddressKind {
  const family = isIP(address)
  if (family === 0 || address.includes('%') || isMetadata(address)) return 'forbidden'
  if (family === 6 && isMapped(address)) return 'forbidden'
  if (isPrivate(address)) return 'private'
  if (isSpecial(address) || (family === 6 && !isGlobalV6(address))) return 'forbidden'
  return 'public'
}

// A BlockList looks at the IPv4 address inside of a mapped one.
const isMapped = listOf([], [['::ffff:0:0', 96]])
