import { z } from 'zod'

import { scopes } from './session.ts'
import { Instant, Name } from './text.ts'

export const PersonalAccessTokenId = z.uuid().toLowerCase().brand<'PersonalAccessTokenId'>()
export type PersonalAccessTokenId = z.infer<typeof PersonalAccessTokenId>

const Scopes = z
  .array(z.enum(scopes))
  .min(1)
  .max(scopes.length)
  .refine((given) => new Set(given).size === given.length, 'entries must be distinct')

/** How long it lasts is for the database's clock to judge: to a year from now. */
export const PersonalAccessTokenInput = z
  .strictObject({ name: Name, scopes: Scopes, expires_at: Instant })
  .meta({ id: 'PersonalAccessTokenInput' })
export type PersonalAccessTokenInput = z.infer<typeof PersonalAccessTokenInput>

/** `last_used_at` is exact to a minute. */
export const PersonalAccessToken = z
  .object({
    id: PersonalAccessTokenId,
    name: z.string(),
    scopes: z.array(z.enum(scopes)),
    created_at: Instant,
    expires_at: Instant,
    last_used_at: Instant.nullable(),
  })
  .meta({ id: 'PersonalAccessToken' })
export type PersonalAccessToken = z.infer<typeof PersonalAccessToken>

/** As it is answered once. */
export const NewPersonalAccessToken = PersonalAccessToken.extend({ token: z.string() }).meta({
  id: 'NewPersonalAccessToken',
})
export type NewPersonalAccessToken = z.infer<typeof NewPersonalAccessToken>
