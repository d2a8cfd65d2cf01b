import { createLocalJWKSet } from 'jose'
import type { JSONWebKeySet } from 'jose'
import { z } from 'zod'

import { isTrustedScheme } from '../../domain/federation.ts'
import type { Deps } from '../deps.ts'

/** Finds the key of a token in what its issuer has published. */
export type KeySet = ReturnType<typeof createLocalJWKSet>

/** What an issuer says of itself is not to be believed, however often it is asked. */
export class UntrustedIssuer extends Error {
  override readonly name = 'UntrustedIssuer'
}

/** @throws Error when the issuer's keys cannot be had now; UntrustedIssuer */
export type IssuerKeys = (issuer: string, kid: string | undefined) => Promise<KeySet>

const freshMs = 10 * 60_000
const usableMs = 60 * 60_000
const pauseMs = { fresh: 60_000, stale: 5_000 }
const longestWaitMs = 5_000
const longestDocument = 200_000
const mostKeys = 100
/** Whoever owns a machine may name ever other issuers for it. */
const mostIssuers = 500

const Discovered = z.looseObject({ issuer: z.string(), jwks_uri: z.string().max(2_000) })
const Jwks = z.looseObject({
  keys: z.array(z.looseObject({ kty: z.string(), kid: z.string().optional() })).max(mostKeys),
})

type Fetched = { keys: KeySet; kids: ReadonlySet<string>; at: number }
/** `failure`: of the last attempt. */
type Entry = { fetched?: Fetched; failure?: unknown; tried_at: number; underway?: Promise<void> }

type Options = Pick<Deps, 'send' | 'allow_private_egress' | 'logError'> & { now?: () => number }

async function readDocument(send: Deps['send'], url: string, signal: AbortSignal): Promise<unknown> {
  const request = { method: 'GET', url, headers: { accept: 'application/json' }, body: null }
  const { status, body } = await send(request, signal)
  if (status !== 200) throw new Error(`the issuer answered ${status}`)
  if (body.length > longestDocument) throw new Error('the issuer answered with too much')
  return JSON.parse(body)
}

async function fetchKeys(
  { send, allow_private_egress, now = Date.now }: Options,
  issuer: string,
): Promise<Fetched> {
  const signal = AbortSignal.timeout(longestWaitMs)
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const discovered = Discovered.parse(await readDocument(send, address, signal))
  if (discovered.issuer !== issuer) throw new UntrustedIssuer('the issuer says that it is another one')
  if (!isTrustedScheme(discovered.jwks_uri, allow_private_egress))
    throw new UntrustedIssuer('the keys are not at an https URL')
  const jwks = Jwks.parse(await readDocument(send, discovered.jwks_uri, signal))
  const kids = new Set(jwks.keys.flatMap(({ kid }) => kid ?? []))
  return { keys: createLocalJWKSet(jwks as JSONWebKeySet), kids, at: now() }
}

/**
 * The keys of issuers that admins trust, kept for ten minutes. A key that is not among them is looked for again, once a
 * minute at most; while an issuer is away, what it said last counts for an hour. Those of so many issuers are kept.
 */
export function createIssuerKeys(options: Options): IssuerKeys {
  const { now = Date.now } = options
  const entries = new Map<string, Entry>()

  const isMissing = ({ fetched }: Entry, kid: string | undefined): boolean =>
    fetched === undefined || now() - fetched.at >= freshMs || (kid !== undefined && !fetched.kids.has(kid))

  function mayTry({ fetched, tried_at }: Entry): boolean {
    const isFresh = fetched !== undefined && now() - fetched.at < freshMs
    return now() - tried_at >= (isFresh ? pauseMs.fresh : pauseMs.stale)
  }

  /** Never fails: what could not be fetched is missing. */
  async function refresh(entry: Entry, issuer: string): Promise<void> {
    entry.tried_at = now()
    try {
      entry.fetched = await fetchKeys(options, issuer)
      delete entry.failure
    } catch (error) {
      entry.failure = error
      options.logError(`the keys of ${issuer} cannot be had`, error)
    }
    delete entry.underway
  }

  /** The one that was asked for last comes last. */
  function entryOf(issuer: string): Entry {
    const entry = entries.get(issuer) ?? { tried_at: -Infinity }
    entries.delete(issuer)
    const [oldest] = entries.keys()
    if (entries.size >= mostIssuers && oldest !== undefined) entries.delete(oldest)
    entries.set(issuer, entry)
    return entry
  }

  return async (issuer, kid) => {
    const entry = entryOf(issuer)
    if (isMissing(entry, kid) && entry.underway === undefined && mayTry(entry))
      entry.underway = refresh(entry, issuer)
    if (isMissing(entry, kid)) await entry.underway
    if (entry.fetched !== undefined && now() - entry.fetched.at < usableMs) return entry.fetched.keys
    if (entry.failure instanceof UntrustedIssuer) throw entry.failure
    throw new Error('the keys of this issuer cannot be had', { cause: entry.failure })
  }
}
