import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

import { jwtVerify } from 'jose'
import { z } from 'zod'

import { listKeys } from '../../db/oauth/client-access.ts'
import type { LiveKey } from '../../db/oauth/client-access.ts'
import { useOnce } from '../../db/oauth/used-ids.ts'
import type { Deps } from '../deps.ts'
import { isOfType, readForeignJwt } from './foreign-jwt.ts'
import { invalidClient } from './oauth-error.ts'
import type { Proven } from './authenticate-client.ts'

/** What clients may sign with. */
export const assertionAlgorithms = ['ES256', 'RS256', 'EdDSA', 'Ed25519']

const longestAssertion = 8_192
const longestLifeSeconds = 300
const toleranceSeconds = 5
const keptKeys = 1_000

const Claims = z.looseObject({
  iss: z.uuid(),
  sub: z.uuid(),
  aud: z.string(),
  exp: z.number(),
  jti: z.string().min(1).max(255),
})
type Claims = z.infer<typeof Claims>

const imported = new Map<string, KeyObject>()

/** A key is imported once; a credential's key never changes. */
function importKey({ id, jwk }: LiveKey): KeyObject {
  const known = imported.get(id)
  if (known !== undefined) return known
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  if (imported.size >= keptKeys) imported.clear()
  imported.set(id, key)
  return key
}

type Shown = { assertion: string; kid: unknown; claims: Claims }

function readAssertion(assertion: string): Shown {
  try {
    const jwt = readForeignJwt(assertion, longestAssertion)
    if (!isOfType(jwt, ['', 'jwt', 'client-authentication+jwt'])) throw new Error('it is of another type')
    return { assertion, kid: jwt.header['kid'], claims: Claims.parse(jwt.claims) }
  } catch {
    throw invalidClient('malformed_assertion')
  }
}

/** For this server alone, of this client alone, and only for a moment. */
function assertMeant({ iss, sub, aud, exp }: Claims, issuer: string): void {
  if (iss !== sub) throw invalidClient('assertion_of_another', sub)
  if (aud !== issuer && aud !== `${issuer}/oauth/token`) throw invalidClient('assertion_audience', sub)
  const left = exp - Date.now() / 1_000
  if (left <= 0 || left > longestLifeSeconds) throw invalidClient('assertion_lifetime', sub)
}

async function hasSigned(key: LiveKey, { assertion, claims }: Shown): Promise<boolean> {
  const expected = {
    algorithms: assertionAlgorithms,
    issuer: claims.sub,
    subject: claims.sub,
    audience: claims.aud,
  }
  return jwtVerify(assertion, importKey(key), { ...expected, clockTolerance: toleranceSeconds }).then(
    () => true,
    () => false,
  )
}

async function findSigner(keys: readonly LiveKey[], shown: Shown): Promise<LiveKey | undefined> {
  const named = keys.filter(({ kid }) => shown.kid === undefined || kid === shown.kid)
  for (const key of named) if (await hasSigned(key, shown)) return key
  return undefined
}

/** The client that has signed an assertion (RFC 7523), which is taken once. @throws OAuthError */
export async function verifyAssertion({ sql, signer }: Deps, assertion: string): Promise<Proven> {
  const shown = readAssertion(assertion)
  const { sub: client_id, exp, jti } = shown.claims
  assertMeant(shown.claims, signer.issuer)
  const key = await findSigner(await listKeys(sql, client_id), shown)
  if (key === undefined) throw invalidClient('assertion_not_verified', client_id)
  const isFirst = await useOnce(sql, ['assertion', client_id, jti], exp + 2 * toleranceSeconds)
  if (!isFirst) throw invalidClient('assertion_used', client_id)
  return { client_id, credential_id: key.id, ends_at: null }
}
