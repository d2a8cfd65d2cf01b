import { z } from 'zod'

import { End, GroupInput, IdentityInput } from './directory.ts'
import { IdentityId } from './ids.ts'
import { Instant, Name, Text } from './text.ts'

export const ScimTokenId = z.uuid().toLowerCase().brand<'ScimTokenId'>()

/** `may_manage_privileged_groups`: it may also fill groups that carry permissions or own applications. */
export const ScimTokenInput = z
  .strictObject({
    name: Name,
    may_manage_privileged_groups: z.boolean().default(false),
    expires_at: End.nullable().default(null),
  })
  .meta({ id: 'ScimTokenInput' })
export type ScimTokenInput = z.infer<typeof ScimTokenInput>

export const ScimToken = z
  .object({
    id: ScimTokenId,
    name: z.string(),
    may_manage_privileged_groups: z.boolean(),
    created_by: IdentityId.nullable(),
    created_at: Instant,
    expires_at: Instant.nullable(),
    last_used_at: Instant.nullable(),
  })
  .meta({ id: 'ScimToken' })
export type ScimToken = z.infer<typeof ScimToken>

/** The answer to its creation, and the only one that holds `token`. */
export const NewScimToken = ScimToken.extend({ token: z.string() }).meta({ id: 'NewScimToken' })
export type NewScimToken = z.infer<typeof NewScimToken>

const ExternalId = Text(1_000).nullable()
const NamePart = Text(200).nullable()

/** What a provider says of a person. `user_name` is the e-mail address. */
export const ScimUserInput = z.object({
  user_name: IdentityInput.shape.email.regex(/^[^@]+@[^@]+$/, 'must be an e-mail address'),
  display_name: Name,
  given_name: NamePart,
  family_name: NamePart,
  external_id: ExternalId,
  is_active: z.boolean(),
})
export type ScimUserInput = z.infer<typeof ScimUserInput>
export type ScimUser = ScimUserInput & { id: string; created_at: string; updated_at: string }

/** What a provider says of a group, beside its members. */
export const ScimGroupInput = z.object({ display_name: GroupInput.shape.name, external_id: ExternalId })
export type ScimGroupInput = z.infer<typeof ScimGroupInput>
export type ScimGroup = ScimGroupInput & { id: string; created_at: string; updated_at: string }

export type ScimMember = { id: string; display_name: string }

/** Who comes and who goes, by their ids. `is_whole`: `added` are all that are to be left, and `removed` is empty. */
export type MemberChange = { is_whole: boolean; added: readonly string[]; removed: readonly string[] }

/** A group whose people a provider keeps. `is_linked`: an admin gave it to the provider, which did not make it. */
export const ScimLink = z
  .object({ id: z.uuid(), name: z.string(), external_id: z.string().nullable(), is_linked: z.boolean() })
  .meta({ id: 'ScimLink' })
export type ScimLink = z.infer<typeof ScimLink>
