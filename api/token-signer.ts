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
  /** The identity that an API token speaks for. @throws when the token is not one of ours, for this API, now */
  verify(token: string): Promise<{ sub: string; exp: number }>
}

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
      const { payload } = await jwtVerify(token, keySet, {
        algorithms: ['ES256'],
        typ: 'at+jwt',
        issuer,
        audience: issuer,
        requiredClaims: ['sub', 'iat', 'exp', 'jti'],
        maxTokenAge: longestLife,
      })
      const { iat = 0, exp = Infinity } = payload
      if (exp - iat > longestLife) throw new Error('no token of ours lives that long')
      return { sub: payload.sub ?? '', exp }
    },
  }
}
