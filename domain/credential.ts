import { z } from 'zod'

import { End } from './directory.ts'
import { IdentityId } from './ids.ts'
import { Instant, Text } from './text.ts'

export const CredentialId = z.uuid().toLowerCase().brand<'CredentialId'>()
export type CredentialId = z.infer<typeof CredentialId>

const Bytes = (least: number, most: number) =>
  z.string().regex(new RegExp(`^[\\w-]{${least},${most}}$`), 'must be base64url')

const keyFields = {
  kid: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'must be visible ASCII characters')
    .optional(),
  use: z.literal('sig').optional(),
  key_ops: z.array(z.literal('verify')).max(1).optional(),
  ext: z.boolean().optional(),
}

/** A public key (RFC 7517) that signatures can be checked with: ES256, RS256 of 2048 bits or more, or Ed25519. Members of a private one are refused. */
export const PublicJwk = z
  .discriminatedUnion('kty', [
    z.strictObject({
      ...keyFields,
      kty: z.literal('EC'),
      crv: z.literal('P-256'),
      x: Bytes(43, 43),
      y: Bytes(43, 43),
      alg: z.literal('ES256').optional(),
    }),
    z.strictObject({
      ...keyFields,
      kty: z.literal('RSA'),
      n: Bytes(342, 1_366),
      e: z.literal('AQAB', 'must be AQAB'),
      alg: z.literal('RS256').optional(),
    }),
    z.strictObject({
      ...keyFields,
      kty: z.literal('OKP'),
      crv: z.literal('Ed25519'),
      x: Bytes(43, 43),
      alg: z.enum(['EdDSA', 'Ed25519']).optional(),
    }),
  ])
  .meta({ id: 'PublicJwk' })
export type PublicJwk = z.infer<typeof PublicJwk>

/** What makes the key, and nothing that only says something of it. */
export const keyPartOf = ({ kid: _k, use: _u, key_ops: _o, ext: _e, alg: _a, ...key }: PublicJwk) => key

const inputFields = {
  expires_at: End.nullable().default(null),
}

/** What is sent to give an NHI a credential. */
export const CredentialInput = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('client_secret'), ...inputFields }),
    z.strictObject({ type: z.literal('public_key'), jwk: PublicJwk, ...inputFields }),
    z.strictObject({
      type: z.literal('federated'),
      issuer: Text(500).min(1),
      audience: Text(500).min(1),
      subject: Text(1_000).min(1),
      ...inputFields,
    }),
  ])
  .meta({ id: 'CredentialInput' })
export type CredentialInput = z.infer<typeof CredentialInput>

/** What is told of a credential: never a secret. `client_id` is the identity's id; what its type does not have is null. */
export const Credential = z
  .object({
    id: CredentialId,
    identity_id: IdentityId,
    client_id: IdentityId,
    type: z.enum(['client_secret', 'public_key', 'federated']),
    kid: z.string().nullable(),
    jwk: z.record(z.string(), z.string()).nullable(),
    issuer: z.string().nullable(),
    audience: z.string().nullable(),
    subject: z.string().nullable(),
    expires_at: Instant.nullable(),
    created_by: IdentityId.nullable(),
    created_at: Instant,
    last_used_at: Instant.nullable(),
  })
  .meta({ id: 'Credential' })
export type Credential = z.infer<typeof Credential>

/** The answer to a creation: the only one that a secret is ever in. */
export const NewCredential = Credential.extend({ client_secret: z.string().optional() }).meta({
  id: 'NewCredential',
})
