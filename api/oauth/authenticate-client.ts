import { timingSafeEqual } from 'node:crypto'

import { z } from 'zod'

import { findClientAccess } from '../../db/oauth/client-access.ts'
import type { ClientAccess, LiveCredential } from '../../db/oauth/client-access.ts'
import { hashOf } from '../../db/secret-tokens.ts'
import type { Deps } from '../deps.ts'
import { verifyAssertion } from './assertion.ts'
import { getParameter } from './form.ts'
import type { Form } from './form.ts'
import { invalidClient, OAuthError } from './oauth-error.ts'

/** A client that has proven who it is by a signature. `ends_at`: when what it has shown ends, seconds since 1970. */
export type Proven = { client_id: string; credential_id: string; ends_at: number | null }

/** A client, what it has shown, and what it may get: all true at one moment. */
export type Authenticated = { access: ClientAccess; credential: LiveCredential; ends_at: number | null }

export const authenticationMethods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

const ClientId = z.uuid().toLowerCase()

type Secret = { client_id: string; client_secret: string }

/** RFC 6749, 2.3.1: both halves are form-encoded before they are joined. */
function readBasic(authorization: string): Secret {
  const text = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization)?.[1]
  const [client_id, ...secret] = Buffer.from(text ?? '', 'base64')
    .toString('utf8')
    .split(':')
  const decode = (part = '') => decodeURIComponent(part.replaceAll('+', ' '))
  try {
    return { client_id: decode(client_id), client_secret: decode(secret.join(':')) }
  } catch {
    throw invalidClient('malformed_basic')
  }
}

const refuse = (message: string, reason: string) => new OAuthError('invalid_request', message, { reason })

function assertOneMethod(form: Form, authorization: string | undefined): void {
  const shown = [authorization, form.get('client_secret'), form.get('client_assertion')]
  const methods = shown.filter((value) => value !== undefined).length
  if (methods === 0) throw invalidClient('no_authentication')
  if (methods > 1) throw refuse('Authenticate the client in one way, not in two.', 'two_methods')
}

function assertSameClient(form: Form, client_id: string): void {
  const named = form.get('client_id')
  if (named !== undefined && named.toLowerCase() !== client_id.toLowerCase())
    throw invalidClient('other_client', client_id)
}

function readShown(form: Form, authorization: string | undefined): Secret {
  if (authorization !== undefined) return readBasic(authorization)
  return { client_id: getParameter(form, 'client_id'), client_secret: getParameter(form, 'client_secret') }
}

function readSecret(form: Form, authorization: string | undefined): Secret {
  const shown = readShown(form, authorization)
  const client_id = ClientId.safeParse(shown.client_id).data
  if (client_id === undefined) throw invalidClient('unknown_client')
  return { ...shown, client_id }
}

/** All are compared, whatever the first says, in a time that tells nothing. */
function findSecret({ credentials }: ClientAccess, secret: string): LiveCredential | undefined {
  const shown = hashOf(secret)
  const matching = credentials.filter(({ secret_hash }) =>
    timingSafeEqual(Buffer.from(secret_hash ?? '', 'hex'), shown),
  )
  return matching[0]
}

async function bySecret(
  { sql }: Deps,
  { client_id, client_secret }: Secret,
  slug: string | undefined,
): Promise<Authenticated> {
  const access = await findClientAccess(sql, { client_id, slug })
  if (access === undefined) throw invalidClient('inactive_or_unknown_client', client_id)
  const credential = findSecret(access, client_secret)
  if (credential === undefined) throw invalidClient('wrong_secret', client_id)
  return { access, credential, ends_at: credential.ends_at }
}

const earliest = (ends: readonly (number | null)[]): number | null => {
  const end = Math.min(...ends.map((at) => at ?? Infinity))
  return end === Infinity ? null : end
}

/** What a proven client may get now: its credential and its identity are looked at again, together. @throws OAuthError */
export async function accessOf(
  { sql }: Deps,
  proven: Proven,
  slug: string | undefined,
): Promise<Authenticated> {
  const { client_id, credential_id } = proven
  const access = await findClientAccess(sql, { client_id, credential_id, slug })
  const credential = access?.credentials[0]
  if (access === undefined || credential === undefined) throw invalidClient('inactive_client', client_id)
  return { access, credential, ends_at: earliest([credential.ends_at, proven.ends_at]) }
}

async function byAssertion(deps: Deps, form: Form, slug: string | undefined): Promise<Authenticated> {
  if (form.get('client_assertion_type') !== assertionType)
    throw refuse(`client_assertion_type must be ${assertionType}.`, 'client_assertion_type')
  const proven = await verifyAssertion(deps, getParameter(form, 'client_assertion'))
  assertSameClient(form, proven.client_id)
  return accessOf(deps, proven, slug)
}

/** Who calls, by one of `authenticationMethods`, and what it may get of an application. @throws OAuthError */
export async function authenticateClient(
  deps: Deps,
  { form, authorization }: { form: Form; authorization: string | undefined },
  slug: string | undefined,
): Promise<Authenticated> {
  assertOneMethod(form, authorization)
  if (form.has('client_assertion')) return byAssertion(deps, form, slug)
  const secret = readSecret(form, authorization)
  assertSameClient(form, secret.client_id)
  return bySecret(deps, secret, slug)
}
