import { createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

export type PublicPart = { kty: 'EC'; crv: 'P-256'; x: string; y: string }

/** A key of ES256. `kid` is its thumbprint (RFC 7638), `private_part` a JWK in JSON. */
export type KeyPair = { kid: string; public_part: PublicPart; private_part: string }

/** The members in the order that the thumbprint asks for. */
const thumbprintOf = ({ crv, kty, x, y }: PublicPart): string =>
  createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')

function toKeyPair(key: KeyObject): KeyPair {
  const { crv, x = '', y = '', ...rest } = key.export({ format: 'jwk' })
  if (crv !== 'P-256') throw new Error('this is not a key of ES256')
  const public_part: PublicPart = { kty: 'EC', crv, x, y }
  return {
    kid: thumbprintOf(public_part),
    public_part,
    private_part: JSON.stringify({ ...rest, ...public_part }),
  }
}

export const createKeyPair = (): KeyPair =>
  toKeyPair(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)

/** @param text a private key, as JWK in JSON or PKCS8 PEM. @throws when it is none of ES256 */
export const readKeyPair = (text: string): KeyPair =>
  toKeyPair(
    text.trimStart().startsWith('{')
      ? createPrivateKey({ key: JSON.parse(text), format: 'jwk' })
      : createPrivateKey(text),
  )
