import { jwtVerify } from 'jose'
import { z } from 'zod'

import { findWorkload } from '../../db/oauth/client-access.ts'
import type { WorkloadCredential } from '../../db/oauth/client-access.ts'
import type { Deps } from '../deps.ts'
import { isOfType, readForeignJwt } from './foreign-jwt.ts'
import type { ForeignJwt } from './foreign-jwt.ts'
import { getParameter } from './form.ts'
import type { Form } from './form.ts'
import { UntrustedIssuer } from './issuer-keys.ts'
import type { IssuerKeys, KeySet } from './issuer-keys.ts'
import { OAuthError } from './oauth-error.ts'
import type { Authenticated, Proven } from './authenticate-client.ts'

const tokenType = (name: string) => `urn:ietf:params:oauth:token-type:${name}`

/** The type of what is issued. */
export const issuedTokenType = tokenType('access_token')

const subjectTypes = [tokenType('jwt'), tokenType('id_token')]
const requestedTypes = [tokenType('access_token'), tokenType('jwt')]
const algorithms = ['ES256', 'ES384', 'PS256', 'RS256', 'EdDSA', 'Ed25519']
const longestToken = 16_384
const longestLifeSeconds = 86_400

/** As the names of trusted workloads are written. */
const Exact = z.string().regex(/^[\x21-\x7e]{1,1000}$/)

const Claims = z.looseObject({
  iss: Exact,
  sub: Exact,
  aud: z.union([Exact, z.tuple([Exact])]),
  exp: z.number(),
  iat: z.number().optional(),
  nbf: z.number().optional(),
})

/** One answer for all that can be wrong with it; the audit log learns what it was. */
const refuse = (reason: string, client_id?: string) =>
  new OAuthError('invalid_grant', 'The subject token is not one that is trusted here.', {
    reason,
    ...(client_id !== undefined && { client_id }),
  })

const invalid = (message: string, reason: string) => new OAuthError('invalid_request', message, { reason })

/** Its keys cannot be had now: that says nothing of the token, which may be shown again. */
const unavailable = (client_id: string) =>
  new OAuthError('temporarily_unavailable', 'The keys of the issuer cannot be had now; try again shortly.', {
    reason: 'issuer_keys_unavailable',
    client_id,
  })

/** What this exchange does not do is refused rather than left out: the client would get something else. */
function assertPlain(form: Form): void {
  if (form.has('actor_token') || form.has('actor_token_type'))
    throw invalid('Delegation by an actor token is not supported.', 'actor_token')
  if (!subjectTypes.includes(getParameter(form, 'subject_token_type')))
    throw invalid(`subject_token_type must be ${subjectTypes.join(' or ')}.`, 'subject_token_type')
  if (!requestedTypes.includes(form.get('requested_token_type') ?? issuedTokenType))
    throw invalid('Only access tokens are issued.', 'requested_token_type')
}

type Shown = { token: string; jwt: ForeignJwt; claims: z.infer<typeof Claims>; audience: string }

function readSubjectToken(token: string): Shown {
  try {
    const jwt = readForeignJwt(token, longestToken)
    const claims = Claims.parse(jwt.claims)
    if (!isOfType(jwt, ['', 'jwt', 'jose'])) throw new Error('it is of another type')
    return { token, jwt, claims, audience: [claims.aud].flat().join('') }
  } catch {
    throw refuse('malformed_subject_token')
  }
}

function assertTimes({ exp }: Shown['claims'], client_id: string): void {
  const left = exp - Date.now() / 1_000
  if (left <= 1 || left > longestLifeSeconds) throw refuse('subject_token_expired', client_id)
}

/**
 * By the clock that dates what is issued: whatever was waited for meanwhile, nothing begins when it has ended.
 * @throws OAuthError
 */
export function assertLasts({ access, ends_at }: Authenticated): void {
  if (ends_at !== null && ends_at <= access.now) throw refuse('subject_token_expired', access.identity_id)
}

async function assertSigned(
  { token, claims, audience }: Shown,
  keys: KeySet,
  client_id: string,
): Promise<void> {
  const expected = { algorithms, issuer: claims.iss, audience, subject: claims.sub, requiredClaims: ['exp'] }
  await jwtVerify(token, keys, { ...expected, clockTolerance: 5 }).catch(() => {
    throw refuse('subject_token_not_verified', client_id)
  })
}

/** Nobody is asked for keys unless a credential trusts exactly this workload. */
async function findTrusting(sql: Deps['sql'], { claims, audience }: Shown): Promise<WorkloadCredential> {
  const found = await findWorkload(sql, { issuer: claims.iss, subject: claims.sub, audience })
  if (found === undefined) throw refuse('unknown_workload')
  return found
}

async function getKeys(issuerKeys: IssuerKeys, { jwt, claims }: Shown, client_id: string): Promise<KeySet> {
  const { kid } = jwt.header
  return issuerKeys(claims.iss, typeof kid === 'string' ? kid : undefined).catch((error: unknown) => {
    throw error instanceof UntrustedIssuer ? refuse('issuer_not_trusted', client_id) : unavailable(client_id)
  })
}

/** The client that a federated workload token (RFC 8693) speaks for. @throws OAuthError */
export async function verifySubjectToken(deps: Deps, issuerKeys: IssuerKeys, form: Form): Promise<Proven> {
  assertPlain(form)
  const shown = readSubjectToken(getParameter(form, 'subject_token'))
  const { id, identity_id: client_id } = await findTrusting(deps.sql, shown)
  assertTimes(shown.claims, client_id)
  await assertSigned(shown, await getKeys(issuerKeys, shown, client_id), client_id)
  if (form.has('client_id') && form.get('client_id') !== client_id) throw refuse('other_client', client_id)
  return { client_id, credential_id: id, ends_at: Math.floor(shown.claims.exp) }
}
