import { DomainError } from '../../domain/errors.ts'
import type { Permission } from '../../domain/directory.ts'
import type { Actor } from '../audit.ts'
import { getRow, rows } from '../client.ts'
import type { Tx } from '../client.ts'
import { implies } from './caller.ts'

/**
 * What a write would hand on. `group_ids`: to new members, so all that these groups give. `identity_ids`: to whoever
 * comes to speak for these identities, so all that they hold. `app_ids`: any entitlement of these applications.
 */
export type HandedOn = {
  permissions?: readonly Permission[]
  mapping_ids?: readonly string[]
  app_ids?: readonly string[]
  group_ids?: readonly string[]
  identity_ids?: readonly string[]
}

type Needed = { permissions: Permission[]; mapping_ids: string[]; app_ids: string[] }

/** The groups of identities, enabled or not, and of the non-human ones that they own and could speak for. */
async function listGroupsOf(tx: Tx, identity_ids: readonly string[]): Promise<string[]> {
  const found = await rows<{ group_id: string }>(tx`
    with spoken_for as (
      select id from identities where id = any (${[...identity_ids]}::uuid[])
        or owner_id = any (${[...identity_ids]}::uuid[])
    )
    select m.group_id from memberships m join spoken_for s on s.id = m.identity_id
    where m.expires_at is null or m.expires_at > clock_timestamp()
    union
    select t.group_id from grants t join spoken_for s on s.id = t.subject_id where t.ended_at is null`)
  return found.map(({ group_id }) => group_id)
}

/**
 * What a member of the groups holds, or could come by: who approves a template's requests, or has them approved by
 * nobody, decides over its mappings; who owns an application, over all of it.
 */
function readCarried(tx: Tx, group_ids: readonly string[]): Promise<Needed> {
  const ids = tx`${[...group_ids]}::uuid[]`
  return getRow<Needed>(tx`
    select array(select distinct p from groups, unnest(permissions) p where id = any (${ids})) as permissions,
      array(select id from applications where owner_group_id = any (${ids})) as app_ids,
      array(
        select mapping_id from group_mappings where group_id = any (${ids})
        union
        select unnest(mapping_ids) from templates
        where approver_group_ids && ${ids} or escalation_group_id = any (${ids})
          or (auto_approve and allowed_group_ids && ${ids})
        union
        select (m ->> 'id')::uuid from access_requests r, jsonb_array_elements(r.mappings) m
        where r.status = 'pending' and (r.approver_group_ids && ${ids} or r.escalation_group_id = any (${ids}))
      ) as mapping_ids`)
}

async function collect(tx: Tx, handed: HandedOn): Promise<Needed> {
  const { permissions = [], mapping_ids = [], app_ids = [], group_ids = [], identity_ids = [] } = handed
  const held = identity_ids.length > 0 ? await listGroupsOf(tx, identity_ids) : []
  const groups = [...group_ids, ...held]
  const carried = groups.length > 0 ? await readCarried(tx, groups) : undefined
  return {
    permissions: [...permissions, ...(carried?.permissions ?? [])],
    mapping_ids: [...mapping_ids, ...(carried?.mapping_ids ?? [])],
    app_ids: [...app_ids, ...(carried?.app_ids ?? [])],
  }
}

/** What somebody holds for good: a grant, or a membership with an end, is theirs to use and not to hand on. */
async function listStandingPermissions(tx: Tx, id: string): Promise<Permission[]> {
  const { permissions } = await getRow<{ permissions: Permission[] }>(tx`
    select array(
      select distinct p from active_groups(${id}, clock_timestamp()) g, unnest(g.permissions) p
      where g.request_id is null and g.expires_at is null
    ) as permissions`)
  return permissions
}

/** A mapping is handed on by the owners of its application, and by who holds it: both for good. */
async function listMissingMappings(tx: Tx, id: string, mapping_ids: readonly string[]): Promise<string[]> {
  const missing = await rows<{ what: string }>(tx`
    with held as materialized (
      select group_id from active_groups(${id}, clock_timestamp()) where request_id is null and expires_at is null
    )
    select 'mapping "' || m.name || '" of ' || a.name as what
    from app_mappings m join applications a on a.id = m.app_id
    where m.id = any (${[...mapping_ids]}::uuid[])
      and not exists (select from held where held.group_id = a.owner_group_id)
      and not exists (select from held join group_mappings gm on gm.group_id = held.group_id
                      where gm.mapping_id = m.id)
    order by a.name, m.name`)
  return missing.map(({ what }) => what)
}

async function listMissingApplications(tx: Tx, id: string, app_ids: readonly string[]): Promise<string[]> {
  const missing = await rows<{ what: string }>(tx`
    select 'application "' || name || '", of whose owner group you are no member for good' as what
    from applications a where id = any (${[...app_ids]}::uuid[]) and not exists (
      select from active_groups(${id}, clock_timestamp()) g
      where g.request_id is null and g.expires_at is null and g.group_id = a.owner_group_id)
    order by name`)
  return missing.map(({ what }) => what)
}

async function listMissing(tx: Tx, id: string, handed: HandedOn): Promise<string[]> {
  const held = await listStandingPermissions(tx, id)
  if (held.includes('access_requests.manage')) return []
  const needed = await collect(tx, handed)
  const permissions = [...new Set(needed.permissions)].filter((permission) => !implies(held, permission))
  return [
    ...permissions.map((permission) => `permission ${permission}`),
    ...(await listMissingMappings(tx, id, needed.mapping_ids)),
    ...(await listMissingApplications(tx, id, needed.app_ids)),
  ]
}

/** A provisioner fills the groups that admins gave it; what makes an admin, or an owner, is not among them. */
const listPrivileged = ({ permissions, app_ids }: Needed): string[] => [
  ...permissions.map((permission) => `permission ${permission}`),
  ...app_ids.map(() => 'the ownership of an application'),
]

/**
 * The one rule of handing on: nobody grants what they do not hold the right to grant. Whoever manages access requests
 * for good may grant everything; the product itself too.
 * @throws DomainError `forbidden`, naming what is missing
 */
export async function assertMayGrant(tx: Tx, actor: Actor, handed: HandedOn): Promise<void> {
  if (actor.id === null && !actor.is_provisioner) return
  const missing =
    actor.id === null ? listPrivileged(await collect(tx, handed)) : await listMissing(tx, actor.id, handed)
  if (missing.length === 0) return
  throw new DomainError('forbidden', `You cannot hand on what is not yours to grant: ${missing.join('; ')}.`)
}
