import { createHash, createPublicKey } from 'node:crypto'

import { calculateJwkThumbprint, jwtVerify } from 'jose'
import { z } from 'zod'

import type { Sql } from '../../db/client.ts'
import { useOnce } from '../../db/oauth/used-ids.ts'
import { keyPartOf, PublicJwk } from '../../domain/credential.ts'
import { isOfType, readForeignJwt } from '../oauth/foreign-jwt.ts'

/** What proofs (RFC 9449) may be signed with. */
export const proofAlgorithms = ['ES256', 'RS256', 'EdDSA', 'Ed25519']

const longestProof = 8_192
const newestSeconds = 60

const ProofHeader = z.looseObject({ alg: z.enum(proofAlgorithms), jwk: PublicJwk })

const ProofClaims = z.looseObject({
  jti: z.string().min(1).max(255),
  htm: z.string(),
  htu: z.url({ protocol: /^https?$/ }),
  iat: z.number(),
  ath: z.string().optional(),
})

/** The request that a proof has to be about; `access_token`: the one that it came with. */
export type Proven = { method: string; url: string; access_token?: string }

const withoutQuery = (text: string): string => {
  const { origin, pathname } = new URL(text)
  return `${origin}${pathname}`
}

const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url')

function assertAbout({ htm, htu, ath }: z.infer<typeof ProofClaims>, proven: Proven): void {
  const isHere = htm === proven.method && withoutQuery(htu) === withoutQuery(proven.url)
  const expected = proven.access_token === undefined ? undefined : hashOf(proven.access_token)
  if (!isHere || ath !== expected) throw new Error('the proof is about something else')
}

/**
 * Checks a DPoP proof (RFC 9449, 4.3), which is taken once. Returns the thumbprint of the key that made it.
 * @throws Error
 */
export async function verifyProof(sql: Sql, proof: string, proven: Proven): Promise<string> {
  const jwt = readForeignJwt(proof, longestProof)
  if (!isOfType(jwt, ['dpop+jwt'])) throw new Error('this is not a proof')
  const { jwk } = ProofHeader.parse(jwt.header)
  const claims = ProofClaims.parse(jwt.claims)
  assertAbout(claims, proven)
  const now = Date.now() / 1_000
  if (Math.abs(now - claims.iat) > newestSeconds) throw new Error('the proof is not of this moment')
  const key = keyPartOf(jwk)
  await jwtVerify(proof, createPublicKey({ key, format: 'jwk' }), { algorithms: proofAlgorithms })
  const jkt = await calculateJwkThumbprint(key)
  const isFirst = await useOnce(sql, ['dpop', jkt, claims.jti], claims.iat + 3 * newestSeconds)
  if (!isFirst) throw new Error('the proof was shown before')
  return jkt
}
