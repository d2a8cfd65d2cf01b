import { Schemas } from 'scimmy'
import { z } from 'zod'

import { ScimGroupInput, ScimUserInput } from '../../domain/scim.ts'
import type { ScimGroup, ScimMember, ScimUser } from '../../domain/scim.ts'
import { ScimError } from './problem.ts'

/** A part that is not kept is not said. */
const optional = <Value>(key: string, value: Value | null) => (value === null ? {} : { [key]: value })

type Kept = { id: string; external_id: string | null; created_at: string; updated_at: string }

/** As a provider sees it. What comes from here needs no check: SCIMMY's took a tenth of a second for a page of users. */
const documentOf = (name: 'User' | 'Group', kept: Kept, base: string, fields: object) => ({
  schemas: [`urn:ietf:params:scim:schemas:core:2.0:${name}`],
  id: kept.id,
  ...optional('externalId', kept.external_id),
  ...fields,
  meta: {
    resourceType: name,
    created: kept.created_at,
    lastModified: kept.updated_at,
    location: `${base}/${name}s/${kept.id}`,
  },
})

export const userDocument = (user: ScimUser, base: string) =>
  documentOf('User', user, base, {
    userName: user.user_name,
    displayName: user.display_name,
    name: {
      formatted: user.display_name,
      ...optional('givenName', user.given_name),
      ...optional('familyName', user.family_name),
    },
    active: user.is_active,
    emails: [{ value: user.user_name, type: 'work', primary: true }],
  })

/** Without members: `memberDocument`. */
export const groupDocument = (group: ScimGroup, base: string) =>
  documentOf('Group', group, base, { displayName: group.display_name })

export const memberDocument = ({ id, display_name }: ScimMember, base: string) => ({
  value: id,
  display: display_name,
  type: 'User',
  $ref: `${base}/Users/${id}`,
})

/** To be changed by SCIMMY. */
export const userResource = (user: ScimUser, base: string) =>
  new Schemas.User(userDocument(user, base), 'out', `${base}/Users`)

/** As `userResource`, without members. */
export const groupResource = (group: ScimGroup, base: string) =>
  new Schemas.Group(groupDocument(group, base), 'out', `${base}/Groups`)

const Part = z.string().nullish()

const SentUser = z.object({
  externalId: Part,
  userName: z.string(),
  displayName: Part,
  name: z.object({ formatted: Part, givenName: Part, familyName: Part }).nullish(),
  active: z.boolean().nullish(),
})
type SentUser = z.infer<typeof SentUser>

const SentGroup = z.object({ externalId: Part, displayName: z.string() })

/** Takes what was sent, by the rules of a schema. @throws ScimError */
function parse<Schema extends z.ZodType>(schema: Schema, sent: unknown): z.output<Schema> {
  const { success, data, error } = schema.safeParse(sent)
  if (success) return data
  const [issue] = error.issues
  throw new ScimError(
    'invalidValue',
    `${issue?.path.join('.') ?? 'The resource'}: ${issue?.message ?? 'is not valid'}.`,
  )
}

const asWhole = (...parts: (string | null | undefined)[]): string | undefined =>
  parts.filter((part) => part?.trim()).join(' ') || undefined

/** The name that people see: the one that was sent newly, by whichever attribute; then any other that there is. */
function displayNameOf(sent: SentUser, before: ScimUser | undefined): string {
  const { displayName, name } = sent
  const full = asWhole(name?.givenName, name?.familyName)
  const isFullNew = asWhole(before?.given_name, before?.family_name) !== full
  const candidates = [displayName, name?.formatted, isFullNew ? full : undefined]
  const fresh = candidates.find((candidate) => candidate?.trim() && candidate !== before?.display_name)
  return fresh ?? before?.display_name ?? full ?? sent.userName
}

/** @param resource a user as SCIMMY has checked it; @param before absent for a new one; @throws ScimError */
export function readUser(resource: Schemas.User, before?: ScimUser): ScimUserInput {
  const sent = parse(SentUser, resource)
  return parse(ScimUserInput, {
    user_name: sent.userName,
    display_name: displayNameOf(sent, before),
    given_name: sent.name?.givenName ?? null,
    family_name: sent.name?.familyName ?? null,
    external_id: sent.externalId ?? null,
    is_active: sent.active ?? before?.is_active ?? true,
  })
}

/** @throws ScimError */
export function readGroup(resource: Schemas.Group): ScimGroupInput {
  const sent = parse(SentGroup, resource)
  return parse(ScimGroupInput, { display_name: sent.displayName, external_id: sent.externalId ?? null })
}
