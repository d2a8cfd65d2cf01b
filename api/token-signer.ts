import { randomUUIDv7 } from 'node:crypto'

import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  importJWK,
  importPKCS8,
  jwtVerify,
  SignJWT,
} from 'jose'
import type { JWK } from 'jose'
import { z } from 'zod'

/** Signs and checks the product's own tokens: JWTs of type `at+jwt`, ES256. */
export type TokenSigner = {
  issuer: string
  /** The public keys, as `/.well-known/jwks.json` shows them. */
  jwks: { keys: JWK[] }
  /** @param times seconds since 1970 */
  sign(
    claims: Record<string, unknown>,
    times: { iat: number; exp: number },
  ): Promise<{ token: string; jti: string }>
  /** What an API token says. @throws when the token is not one of ours, for this API, now */
  verify(token: string): Promise<ApiToken>
  /** All that a token of ours says, whoever it is for. @throws when it is not one of ours, now */
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

/** Seconds. An end may also be a number that is none: JSON takes 1e400. */
const longestLife = 3_600

async function readKey(text: string): Promise<JWK> {
  if (!text.trimStart().startsWith('{'))
    return exportJWK(await importPKCS8(text, 'ES256', { extractable: true }))
  return JSON.parse(text) as JWK
}

const publicPart = ({ kty, crv, x, y }: JWK): JWK => ({ kty, crv, x, y }) as JWK

/** @param key a private ES256 key, as JWK or PKCS8 PEM; @param issuer the `iss` of its tokens and the `aud` of the API */
export async function createTokenSigner(key: string, issuer: string): Promise<TokenSigner> {
  const jwk = await readKey(key)
  const kid = await calculateJwkThumbprint(publicPart(jwk))
  const privateKey = await importJWK({ ...jwk, alg: 'ES256' }, 'ES256')
  const jwks = { keys: [{ ...publicPart(jwk), kid, alg: 'ES256', use: 'sig' }] }
  const keySet = createLocalJWKSet(jwks)
  async function read(token: string): Promise<TokenClaims> {
    const { payload } = await jwtVerify(token, keySet, {
      algorithms: ['ES256'],
      typ: 'at+jwt',
      issuer,
      requiredClaims: ['sub', 'iat', 'exp', 'jti'],
      maxTokenAge: longestLife,
    })
    const claims = TokenClaims.parse(payload)
    if (claims.exp - claims.iat > longestLife) throw new Error('no token of ours lives that long')
    return claims
  }
  return {
    issuer,
    jwks,
    async sign(claims, { iat, exp }) {
      const jti = randomUUIDv7()
      const token = await new SignJWT({ ...claims, iss: issuer, iat, exp, jti })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid })
        .sign(privateKey)
      return { token, jti }
    },
    async verify(token) {
      const { aud, sub, exp, jti, cnf } = await read(token)
      if (aud !== issuer) throw new Error('the token is for something else')
      return { sub, exp, jti, jkt: cnf?.jkt ?? null }
    },
    read,
  }
}
