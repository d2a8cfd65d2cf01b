import { DomainError } from '../../domain/errors.ts'
import type { Me, Membership } from '../../domain/directory.ts'
import { appendAudit } from '../audit.ts'
import type { Actor } from '../audit.ts'
import { findRow, getRow, rows } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import { isGivenByClaim, keepByHand } from '../sign-in/memberships.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'
import type { Precondition } from '../versions.ts'
import { keepingAnAdmin } from './active-admins.ts'
import { lockGroup } from './groups.ts'
import { assertMayGrant } from './may-grant.ts'
import { assertPresent } from './presence.ts'

/** Who belongs to a group now; of a temporary group that is whoever holds its grant. */
export async function listMembers(db: Db, group_id: string, page: PageRequest): Promise<Page<Membership>> {
  const found = await rows<Membership>(db`
    select i.id as identity_id, i.email, i.display_name, i.kind, i.status, held.joined_at, held.expires_at
    from (
      select m.identity_id, m.joined_at, m.expires_at from memberships m
      where m.group_id = ${group_id} and (m.expires_at is null or m.expires_at > clock_timestamp())
      union all
      select t.subject_id, t.starts_at, t.expires_at from grants t
      where t.group_id = ${group_id} and exists (
        select from active_groups(t.subject_id, clock_timestamp()) a where a.group_id = t.group_id)
    ) held join identities i on i.id = held.identity_id
    where ${page.after}::uuid is null or i.id > ${page.after}
    order by i.id limit ${page.limit + 1}`)
  const ids = found.map(({ identity_id }) => ({ id: identity_id }))
  const { next_cursor } = toPage(membersOf(group_id), page, ids)
  return { data: found.slice(0, page.limit), next_cursor }
}

/** The name of a group's list of members, for its cursors. */
export const membersOf = (group_id: string): string => `members/${group_id}`

/** The groups, standing and temporary, in which an identity is now, and until when. */
export function listHeldGroups(db: Db, identity_id: string): Promise<Me['groups']> {
  return rows<Me['groups'][number]>(db`
    select group_id as id, name, expires_at from active_groups(${identity_id}, clock_timestamp()) order by name`)
}

type Place = { group_id: string; identity_id: string }
type Write = Place & { actor: Actor; precondition: Precondition }
type Held = { expires_at: string | null }

/** Undefined once it has ended, though its row may still be there. */
const findMembership = (tx: Tx, { group_id, identity_id }: Place): Promise<Held | undefined> =>
  findRow<Held>(tx`
    select expires_at from memberships
    where group_id = ${group_id} and identity_id = ${identity_id}
      and (expires_at is null or expires_at > clock_timestamp())`)

async function getEmail(tx: Tx, identity_id: string): Promise<string> {
  const row = await findRow<{ email: string }>(tx`select email from identities where id = ${identity_id}`)
  if (row === undefined) throw new DomainError('not_found', 'There is no such identity.')
  return row.email
}

async function assertFuture(tx: Tx, expires_at: string | null): Promise<void> {
  const { is_past } = await getRow<{ is_past: boolean }>(
    tx`select coalesce(${expires_at}::timestamptz <= clock_timestamp(), false) as is_past`,
  )
  if (!is_past) return
  throw new DomainError('invalid_request', 'The membership would have ended already: delete it instead.', {
    errors: [{ pointer: '/expires_at', detail: 'must be in the future' }],
  })
}

/**
 * Adds an identity to a group, or changes when that ends; joining anew after an end counts as joining.
 * @throws DomainError `not_found`, `temporary_group`, `invalid_request`, `precondition_failed`, `forbidden`, `last_admin`
 */
export const putMembership = (sql: Sql, write: Write & Held): Promise<void> =>
  keepingAnAdmin(sql, write.actor, (tx) => saveMembership(tx, write))

/** As `putMembership`, in a transaction that keeps an admin. */
export async function saveMembership(tx: Tx, { expires_at, ...write }: Write & Held): Promise<void> {
  const { group_id, identity_id, actor, precondition } = write
  const { resource: group } = await lockGroup(tx, group_id)
  const email = await getEmail(tx, identity_id)
  await assertFuture(tx, expires_at)
  const before = await findMembership(tx, write)
  assertPresent(precondition, before !== undefined)
  const isByHand = !(await isGivenByClaim(tx, write))
  if (isByHand && before && before.expires_at === expires_at) return
  await assertMayGrant(tx, actor, { group_ids: [group_id] })
  await keepByHand(tx, write)
  await tx`insert into memberships ${tx({ group_id, identity_id, expires_at })}
    on conflict (group_id, identity_id) do update set expires_at = excluded.expires_at, joined_at =
      case when memberships.expires_at <= clock_timestamp() then clock_timestamp() else memberships.joined_at end`
  await appendAudit(tx, {
    kind: before ? 'membership.updated' : 'membership.added',
    actor,
    object_type: 'group',
    object_id: group_id,
    detail: { group_name: group.name, identity_id, email, expires_at, before: before ?? null },
  })
}

/** @throws DomainError `not_found`, `temporary_group`, `precondition_failed`, `last_admin` */
export const deleteMembership = (sql: Sql, write: Write): Promise<void> =>
  keepingAnAdmin(sql, write.actor, (tx) => removeMembership(tx, write))

/** As `deleteMembership`, in a transaction that keeps an admin. */
export async function removeMembership(tx: Tx, write: Write): Promise<void> {
  const { group_id, identity_id, actor, precondition } = write
  const { resource: group } = await lockGroup(tx, group_id)
  const before = await findMembership(tx, write)
  if (before === undefined) throw new DomainError('not_found', 'It is not a member of this group.')
  assertPresent(precondition, true)
  await tx`delete from memberships where group_id = ${group_id} and identity_id = ${identity_id}`
  await appendAudit(tx, {
    kind: 'membership.removed',
    actor,
    object_type: 'group',
    object_id: group_id,
    detail: { group_name: group.name, identity_id, email: await getEmail(tx, identity_id), ...before },
  })
}
