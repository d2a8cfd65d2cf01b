import { canonicalHost, findEgressHost } from '../domain/egress-host.ts'

/** Where a request goes. `may_be_private`: toward a private address, because the policy names host and port. */
export type Target = {
  url: URL
  /** As a URL spells it: lower case, no dot at its end, IPv6 in brackets. */
  host: string
  port: number
  is_tls: boolean
  may_be_private: boolean
}

/** `hosts` are entries `host`, `*.host` or `host:port`; `allow_private` opens private addresses and plain http to entries with a port. */
export type EgressPolicy = { hosts: readonly string[]; allow_private: boolean }

const MAX_URL_CHARS = 8_192

function parseUrl(text: string): URL {
  if (text.length > MAX_URL_CHARS) throw new Error(`a URL may have at most ${MAX_URL_CHARS} characters`)
  // URL drops line ends and tabs and reads a backslash as a slash: what a reader sees would not be where it goes.
  if (/[^\x21-\u{10ffff}]|[\x7f\\]/u.test(text) || !URL.canParse(text)) throw new Error('this is not a URL')
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new Error('only https can be called')
  if (/^[^/]*\/\/[^/?#]*@/.test(text)) throw new Error('a URL with a user name or password is not sent')
  return url
}

/** Reads a URL and says where it leads. @throws Error for whoever wrote the script when it is none or none that is sent. */
export function readTarget(text: string): Omit<Target, 'may_be_private'> {
  const url = parseUrl(text)
  const host = canonicalHost(url.hostname)
  if (host === undefined) throw new Error('this is not a URL with a host')
  const is_tls = url.protocol === 'https:'
  return { url, host, is_tls, port: url.port === '' ? (is_tls ? 443 : 80) : Number(url.port) }
}

const named = (host: string, port: number) => (port === 443 ? host : `${host}:${port}`)

/** @throws Error for whoever wrote the script when the policy does not admit it */
export function admit(text: string, { hosts, allow_private }: EgressPolicy): Target {
  const target = readTarget(text)
  const { host, port, is_tls } = target
  const entry = findEgressHost(hosts, host, port)
  if (entry === undefined) throw new Error(`${named(host, port)} is not in the egress_hosts of the task`)
  const may_be_private = allow_private && entry.port !== null
  if (!is_tls && !may_be_private) throw new Error(`${named(host, port)} can only be called by https`)
  return { ...target, may_be_private }
}
