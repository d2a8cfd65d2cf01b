import { randomUUIDv7 } from 'node:crypto'

import { importJWK, jwtVerify, SignJWT } from 'jose'
import type { CryptoKey, JWK } from 'jose'
import { z } from 'zod'

import { readKeyPair } from '../db/signing-keys/key-pair.ts'
import type { PublicPart } from '../db/signing-keys/key-pair.ts'
import { DomainError } from '../domain/errors.ts'
import { longestTokenLife } from '../domain/signing-key.ts'

/** Signs and checks the product's own tokens: JWTs of type `at+jwt`, ES256. */
export type TokenSigner = {
  issuer: string
  /** The public keys, as `/.well-known/jwks.json` shows them. */
  jwks(): { keys: JWK[] }
  /** @param times seconds since 1970 */
  sign(
    claims: Record<string, unknown>,
    times: { iat: number; exp: number },
  ): Promise<{ token: string; jti: string }>
  /** What an API token says. @throws NotOurs for what is no token of ours, for this API, now; DomainError `unavailable` */
  verify(token: string): Promise<ApiToken>
  /** All that a token of ours says, whoever it is for. @throws NotOurs, DomainError `unavailable` */
  read(token: string): Promise<TokenClaims>
}

/** `jkt`: the thumbprint of the key that the token is bound to (RFC 9449), null where anybody may bear it. */
export type ApiToken = { sub: string; exp: number; jti: string; jkt: string | null }

const TokenClaims = z.looseObject({
  sub: z.string(),
  aud: z.string(),
  iat: z.int(),
  exp: z.int(),
  jti: z.uuid(),
  cnf: z.strictObject({ jkt: z.string() }).optional(),
})
export type TokenClaims = z.infer<typeof TokenClaims>

/** Seconds that the database, whose clock a token is dated by, may be ahead. */
const clockLead = 5

/** The keys as they are now: the one that signs, and by `kid` those whose tokens are good. */
export type Keys = {
  signing: { kid: string; key: CryptoKey } | undefined
  verifying: ReadonlyMap<string, CryptoKey>
  jwks: { keys: JWK[] }
}

/** The public key as a member of the JWKS. */
export const publicJwk = (kid: string, public_part: PublicPart): JWK => ({
  ...public_part,
  kid,
  alg: 'ES256',
  use: 'sig',
})

/** @throws for what is no key of ES256 */
export async function importKey(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk, 'ES256')
  if (key instanceof Uint8Array) throw new Error('this is not a key of ES256')
  return key
}

function assertLife({ iat, exp }: { iat: number; exp: number }): void {
  const now = Date.now() / 1_000
  // An end may also be a number that is none: JSON takes 1e400.
  if (!(exp - iat <= longestTokenLife)) throw new Error('no token of ours lives that long')
  if (iat > now + clockLead || iat < now - longestTokenLife) throw new Error('the token is not of now')
}

/** Three parts of base64url, the last one 64 bytes in their one spelling: other texts for the same bytes are not ours. */
const spelling = /^[\w-]+\.[\w-]+\.[\w-]{85}[AQgw]$/

/** What is said twice, or otherwise than it was written, is not what was signed. */
function assertSaid(token: string, parts: object[]): void {
  const said = token.split('.', 2).map((part) => Buffer.from(part, 'base64url').toString('utf8'))
  if (parts.some((part, index) => JSON.stringify(part) !== said[index]))
    throw new Error('the token is not written as ours are')
}

/** What was shown is no token of ours that is good now: forged, ended, of a key that is gone, or for something else. */
export class NotOurs extends Error {
  override readonly name = 'NotOurs'
}

async function readSigned(token: string, { verifying }: Keys, issuer: string): Promise<TokenClaims> {
  if (!spelling.test(token)) throw new Error('the token is not spelled as ours are')
  const { payload, protectedHeader } = await jwtVerify(
    token,
    ({ kid }) => verifying.get(kid ?? '') ?? Promise.reject(new Error('no key of ours has that name')),
    { algorithms: ['ES256'], typ: 'at+jwt', issuer, requiredClaims: ['sub', 'iat', 'exp', 'jti'] },
  )
  assertSaid(token, [protectedHeader, payload])
  const claims = TokenClaims.parse(payload)
  assertLife(claims)
  return claims
}

/** @param issuer the `iss` of its tokens and the `aud` of the API; @param keys asked for at every use */
export function createSigner(issuer: string, keys: () => Keys): TokenSigner {
  async function read(token: string): Promise<TokenClaims> {
    const held = keys()
    return readSigned(token, held, issuer).catch((cause: unknown) => {
      throw new NotOurs('the token is not one of ours', { cause })
    })
  }
  return {
    issuer,
    jwks: () => keys().jwks,
    async sign(claims, times) {
      const { signing } = keys()
      if (signing === undefined) throw new DomainError('unavailable', 'There is no key to sign tokens with.')
      assertLife(times)
      const jti = randomUUIDv7()
      const token = await new SignJWT({ ...claims, ...times, iss: issuer, jti })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: signing.kid })
        .sign(signing.key)
      return { token, jti }
    },
    async verify(token) {
      const { aud, sub, exp, jti, cnf } = await read(token)
      if (aud !== issuer) throw new NotOurs('the token is for something else')
      return { sub, exp, jti, jkt: cnf?.jkt ?? null }
    },
    read,
  }
}

/** A signer of one key that is in no database. @param key a private ES256 key, as JWK or PKCS8 PEM */
export async function createTokenSigner(key: string, issuer: string): Promise<TokenSigner> {
  const { kid, public_part, private_part } = readKeyPair(key)
  const jwk = publicJwk(kid, public_part)
  const keys: Keys = {
    signing: { kid, key: await importKey(JSON.parse(private_part) as JWK) },
    verifying: new Map([[kid, await importKey(jwk)]]),
    jwks: { keys: [jwk] },
  }
  return createSigner(issuer, () => keys)
}
