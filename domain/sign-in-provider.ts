import { z } from 'zod'

import { GroupId } from './ids.ts'
import { Instant, Name, Text } from './text.ts'

export const SignInProviderId = z.uuid().toLowerCase().brand<'SignInProviderId'>()
export type SignInProviderId = z.infer<typeof SignInProviderId>

const isPlainUrl = (text: string): boolean => {
  if (!/^https?:\/\/[^\s\\@?#]+$/i.test(text) || !URL.canParse(text)) return false
  return !new URL(text).pathname.includes('/.well-known/')
}

const isVisible = (text: string) => /^[\x21-\x7e]+$/.test(text)

const isDistinct = (entries: readonly unknown[]) =>
  new Set(entries.map((entry) => JSON.stringify(entry))).size === entries.length

const Scopes = z
  .array(
    z
      .string()
      .max(200)
      .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be the name of a scope'),
  )
  .max(50)
  .refine((scopes) => scopes.includes('openid'), 'must name openid')
  .refine(isDistinct, 'entries must be distinct')

const Domain = z
  .string()
  .max(253)
  .toLowerCase()
  .regex(/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/, 'must be a domain, e.g. example.com')

const GroupMapping = z.strictObject({ value: Text(500).min(1), group_id: GroupId })

const fields = {
  name: Name,
  issuer: Text(500).refine(
    isPlainUrl,
    'must be the URL of an issuer, without a query and without .well-known',
  ),
  client_id: Text(500).min(1).refine(isVisible, 'must be visible ASCII characters'),
  scopes: Scopes.default(['openid', 'email', 'profile']),
  group_claim: Text(200).min(1).nullable().default(null),
  group_mappings: z.array(GroupMapping).max(500).refine(isDistinct, 'entries must be distinct').default([]),
  create_identities: z.boolean().default(false),
  allowed_email_domains: z.array(Domain).max(100).refine(isDistinct, 'entries must be distinct').default([]),
  enabled: z.boolean().default(true),
}

/**
 * `client_secret` is never answered: absent, the one that is there stays; null, there is none. The domains are those
 * whose addresses this provider may speak for; an empty list: it creates nobody, and whose address it vouches for is
 * not asked.
 */
export const SignInProviderInput = z
  .strictObject({ ...fields, client_secret: Text(2_000).min(1).nullable().optional() })
  .refine((input) => input.group_mappings.length === 0 || input.group_claim !== null, {
    path: ['group_claim'],
    message: 'must be named where its values are mapped to groups',
  })
  .refine((input) => !input.create_identities || input.allowed_email_domains.length > 0, {
    path: ['allowed_email_domains'],
    message: 'must name the domains whose people may be created',
  })
  .meta({ id: 'SignInProviderInput' })
export type SignInProviderInput = z.infer<typeof SignInProviderInput>

export const SignInProvider = z
  .object({
    id: SignInProviderId,
    ...fields,
    has_client_secret: z.boolean(),
    created_at: Instant,
    updated_at: Instant,
  })
  .meta({ id: 'SignInProvider' })
export type SignInProvider = z.infer<typeof SignInProvider>
