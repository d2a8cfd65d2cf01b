import { z } from 'zod'

import { ApplicationId, GroupId, IdentityId, MappingId } from './ids.ts'
import { sessionKinds } from './session.ts'
import { Instant, Name, Text } from './text.ts'

export const identityKinds = ['human', 'service_account', 'workload', 'agent'] as const
export const privilegeLevels = ['low', 'medium', 'high', 'critical'] as const
/** `access_requests.manage` implies all the others. */
export const permissions = [
  'access_requests.manage',
  'directory.manage',
  'applications.manage',
  'templates.manage',
  'scripts.manage',
  'audit.read',
] as const
export type Permission = (typeof permissions)[number]

const distinctIds = z
  .array(IdentityId)
  .max(100)
  .refine((ids) => new Set(ids).size === ids.length, 'entries must be distinct')

/** One spelling for each moment, to the millisecond; other years are not dates that a database holds. */
export const End = Instant.overwrite((text) =>
  Number.isNaN(Date.parse(text)) ? text : new Date(text).toISOString(),
).refine((text) => /^(19[7-9]|[2-9]\d\d)\d-/.test(text), 'must be a date from 1970 to 9999')

const isVisible = (text: string) => !/[\s\p{C}]/u.test(text)

const identityFields = {
  email: Text(254).trim().min(1).refine(isVisible, 'must not hold spaces or invisible characters'),
  display_name: Name,
  kind: z.enum(identityKinds),
  owner_id: IdentityId.nullable(),
  delegate_ids: distinctIds,
  purpose: Text(2_000).nullable(),
  privilege_class: z.enum(privilegeLevels).nullable(),
  rotation_days: z.int().min(1).max(3_650).nullable(),
  expires_at: End.nullable(),
  status: z.enum(['active', 'disabled']),
}

/** A non-human identity that says nothing else has its credentials changed so often. */
const defaultRotationDays = 90

/** A person's `email` is an address; an NHI's is its unique handle. */
export const IdentityInput = z
  .strictObject({
    ...identityFields,
    kind: identityFields.kind.default('human'),
    owner_id: identityFields.owner_id.default(null),
    delegate_ids: distinctIds.default([]),
    purpose: identityFields.purpose.default(null),
    privilege_class: identityFields.privilege_class.default(null),
    rotation_days: identityFields.rotation_days.default(null),
    expires_at: identityFields.expires_at.default(null),
    status: identityFields.status.default('active'),
  })
  .overwrite((identity) =>
    identity.kind === 'human' || identity.expires_at !== null || identity.rotation_days !== null
      ? identity
      : { ...identity, rotation_days: defaultRotationDays },
  )
  .meta({ id: 'IdentityInput' })
export type IdentityInput = z.infer<typeof IdentityInput>

export const IdentityPatch = z.strictObject(identityFields).partial().meta({ id: 'IdentityPatch' })
export type IdentityPatch = z.infer<typeof IdentityPatch>

export const Identity = z
  .object({ id: IdentityId, ...identityFields, created_at: Instant, updated_at: Instant })
  .meta({ id: 'Identity' })
export type Identity = z.infer<typeof Identity>

export const reservedGroupName = /^__access_req_/i

const groupFields = {
  name: Name.refine(
    (name) => !reservedGroupName.test(name),
    'names that begin with __access_req_ are reserved',
  ),
  description: Text(5_000).default(''),
  permissions: z
    .array(z.enum(permissions))
    .max(permissions.length)
    .refine((names) => new Set(names).size === names.length, 'entries must be distinct')
    .default([]),
}
export const GroupInput = z.strictObject(groupFields).meta({ id: 'GroupInput' })
export type GroupInput = z.infer<typeof GroupInput>

/** A temporary group is named `__access_req_<request id>` and always has `expires_at`. */
export const Group = z
  .object({
    id: GroupId,
    ...groupFields,
    name: z.string(),
    kind: z.enum(['standing', 'temporary']),
    mapping_ids: z.array(MappingId),
    expires_at: Instant.nullable(),
    created_at: Instant,
    updated_at: Instant,
  })
  .meta({ id: 'Group' })
export type Group = z.infer<typeof Group>

export const Membership = z
  .object({
    identity_id: IdentityId,
    email: z.string(),
    display_name: z.string(),
    kind: z.enum(identityKinds),
    status: z.enum(['active', 'disabled']),
    joined_at: Instant,
    expires_at: Instant.nullable(),
  })
  .meta({ id: 'Membership' })
export type Membership = z.infer<typeof Membership>

export const MembershipInput = z
  .strictObject({ expires_at: End.nullable().optional() })
  .meta({ id: 'MembershipInput' })
export type MembershipInput = z.infer<typeof MembershipInput>

/** Somebody who could decide over a request now. */
export const EligibleApprover = Identity.pick({ id: true, email: true, display_name: true }).meta({
  id: 'EligibleApprover',
})
export type EligibleApprover = z.infer<typeof EligibleApprover>

/** The caller, what it holds now and what it has shown; a group's `expires_at` is when it is no longer held. */
export const Me = z
  .object({
    id: z.uuid(),
    kind: z.enum(identityKinds),
    email: z.string(),
    display_name: z.string(),
    permissions: z.array(z.enum(permissions)),
    groups: z.array(z.object({ id: GroupId, name: z.string(), expires_at: Instant.nullable() })),
    session: z.object({ via: z.enum(sessionKinds), expires_at: Instant }),
  })
  .meta({ id: 'Me' })
export type Me = z.infer<typeof Me>

const applicationFields = {
  name: Name,
  slug: z
    .string()
    .max(100)
    .regex(
      /^[a-z0-9]+(-[a-z0-9]+)*$/,
      'lower-case letters, digits and single hyphens: it is the aud of tokens',
    ),
  description: Text(5_000).default(''),
  owner_group_id: GroupId.nullable().default(null),
}
export const ApplicationInput = z.strictObject(applicationFields).meta({ id: 'ApplicationInput' })
export type ApplicationInput = z.infer<typeof ApplicationInput>

export const Application = z
  .object({ id: ApplicationId, ...applicationFields, created_at: Instant, updated_at: Instant })
  .meta({ id: 'Application' })
export type Application = z.infer<typeof Application>

/** Claims that the product itself sets, or that a relying party gives a meaning of its own. */
const reservedClaims = new Set(
  (
    'iss sub aud exp nbf iat jti typ azp act may_act scope scp client_id cnf nonce acr amr auth_time sid at_hash c_hash ' +
    'email email_verified groups name preferred_username active token_type username prototype'
  ).split(' '),
)

const mappingFields = {
  name: Name,
  claim: z
    .string()
    .max(200)
    .regex(/^[A-Za-z_][A-Za-z0-9_.:/-]*$/, 'letters, digits and _ . : / - only')
    .refine(
      (claim) => !reservedClaims.has(claim.toLowerCase()) && !Object.hasOwn(Object.prototype, claim),
      'this claim name is reserved',
    ),
  value: Text(1_000).min(1),
  privilege_level: z.enum(privilegeLevels).default('low'),
}
export const AppMappingInput = z.strictObject(mappingFields).meta({ id: 'AppMappingInput' })
export type AppMappingInput = z.infer<typeof AppMappingInput>

export const AppMapping = z
  .object({
    id: MappingId,
    app_id: ApplicationId,
    ...mappingFields,
    created_at: Instant,
    updated_at: Instant,
  })
  .meta({ id: 'AppMapping' })
export type AppMapping = z.infer<typeof AppMapping>
