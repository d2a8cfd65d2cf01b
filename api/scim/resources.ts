import { Schemas } from 'scimmy'
import { z } from 'zod'

import { ScimGroupInput, ScimUserInput } from '../../domain/scim.ts'
import type { ScimGroup, ScimUser } from '../../domain/scim.ts'
import { ScimError } from './problem.ts'

const metaOf = (
  resourceType: string,
  { created_at, updated_at }: { created_at: string; updated_at: string },
) => ({
  resourceType,
  created: created_at,
  lastModified: updated_at,
})

/** A part that is not kept is not said. */
const optional = <Value>(key: string, value: Value | null) => (value === null ? {} : { [key]: value })

export const userResource = (user: ScimUser, base: string) =>
  new Schemas.User(
    {
      id: user.id,
      ...optional('externalId', user.external_id),
      userName: user.user_name,
      displayName: user.display_name,
      name: {
        formatted: user.display_name,
        ...optional('givenName', user.given_name),
        ...optional('familyName', user.family_name),
      },
      active: user.is_active,
      emails: [{ value: user.user_name, type: 'work', primary: true }],
      meta: metaOf('User', user),
    },
    'out',
    `${base}/Users`,
  )

export const groupResource = (group: ScimGroup, base: string) =>
  new Schemas.Group(
    {
      id: group.id,
      ...optional('externalId', group.external_id),
      displayName: group.display_name,
      members: group.members.map(({ id, display_name }) => ({
        value: id,
        display: display_name,
        type: 'User',
        $ref: `${base}/Users/${id}`,
      })),
      meta: metaOf('Group', group),
    },
    'out',
    `${base}/Groups`,
  )

const Part = z.string().nullish()

const SentUser = z.object({
  externalId: Part,
  userName: z.string(),
  displayName: Part,
  name: z.object({ formatted: Part, givenName: Part, familyName: Part }).nullish(),
  active: z.boolean().nullish(),
})
type SentUser = z.infer<typeof SentUser>

const SentGroup = z.object({
  externalId: Part,
  displayName: z.string(),
  members: z.array(z.object({ value: z.string(), type: Part })).nullish(),
})

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
  const members = sent.members ?? []
  if (members.some(({ type }) => type?.toLowerCase() === 'group'))
    throw new ScimError('invalidValue', 'Groups have users as members, not groups.')
  return parse(ScimGroupInput, {
    display_name: sent.displayName,
    external_id: sent.externalId ?? null,
    member_ids: [...new Set(members.map(({ value }) => value.toLowerCase()))],
  })
}
