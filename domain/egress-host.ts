import { z } from 'zod'

import { Text } from './text.ts'

/** Where calls may go: a host by name, every host below a name, or a host and a port. Hosts are in the spelling of URLs. */
export type EgressHost = { host: string; port: number | null; is_wildcard: boolean }

const MAX_NAME = 253

const withoutDot = (host: string) => host.replace(/\.$/, '')

/** A host as URLs spell it: lower case, punycode, canonical addresses, no dot at its end; undefined where it is none. */
export function canonicalHost(text: string): string | undefined {
  if (!/^(\[[\da-f:.]+\]|[^\s/?#@:[\]\\%]+)$/i.test(text) || !URL.canParse(`https://${text}/`))
    return undefined
  const host = withoutDot(new URL(`https://${text}/`).hostname)
  const labels = host.split('.')
  const isName = labels.every((label) => /^[\w-]{1,63}$/.test(label)) && host.length <= MAX_NAME
  return isName || host.startsWith('[') ? host : undefined
}

const isAddress = (host: string) => host.startsWith('[') || /^[\d.]+$/.test(host)

// An address has one spelling here: 0x7f.1, 2130706433 and 127.0.0.1 are the same host to a URL, and not to a reader.
const isCanonical = (text: string, host: string) => !isAddress(host) || text.toLowerCase() === host

function parsePort(text: string | undefined): number | null | undefined {
  if (text === undefined) return null
  return /^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined
}

/** Reads `host`, `*.host` or `host:port`; undefined for anything else. A wildcard has at least two labels after it, and no port. */
export function parseEgressHost(entry: string): EgressHost | undefined {
  const [, star, text = '', portText] = /^(\*\.)?(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(entry) ?? []
  const host = canonicalHost(text)
  const port = parsePort(portText)
  if (host === undefined || port === undefined || !isCanonical(text, host)) return undefined
  const is_wildcard = star !== undefined
  if (is_wildcard && (port !== null || isAddress(host) || !host.includes('.'))) return undefined
  return { host, port, is_wildcard }
}

const covers = (entry: EgressHost, host: string, port: number): boolean => {
  if (entry.is_wildcard) return host.endsWith(`.${entry.host}`) && port === 443
  return entry.host === host && (entry.port ?? 443) === port
}

/** The entry that admits a canonical host at a port, the one that names the port first. Without a port an entry means 443. */
export function findEgressHost(
  entries: readonly string[],
  host: string,
  port: number,
): EgressHost | undefined {
  const admitting = entries
    .flatMap((entry) => parseEgressHost(entry) ?? [])
    .filter((entry) => covers(entry, host, port))
  return admitting.find((entry) => entry.port !== null) ?? admitting[0]
}

/** One entry of a list of hosts, as an admin writes and reads it. */
export const EgressHostEntry = Text(300).refine(
  (entry) => parseEgressHost(entry) !== undefined,
  'must be host, *.host or host:port, in the usual spelling',
)

export const EgressHosts = z.array(EgressHostEntry).max(100)
