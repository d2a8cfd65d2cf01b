import { DomainError } from '../../domain/errors.ts'
import type { MemberChange, ScimMember } from '../../domain/scim.ts'
import { appendAudits } from '../audit.ts'
import type { Actor } from '../audit.ts'
import { rows } from '../client.ts'
import type { Db, Tx } from '../client.ts'
import { provisioned } from './users.ts'

/** So many are changed by one statement, which the database would end after a while. */
const atOnce = 500

function* inParts<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += atOnce) yield items.slice(from, from + atOnce)
}

const isActive = (db: Db) => db`(m.expires_at is null or m.expires_at > clock_timestamp())`

const uuids = (db: Db, ids: readonly string[]) => db`${[...ids]}::uuid[]`

/** The people among a group's members; at most so many. */
export const listScimMembers = (db: Db, group_id: string, most: number): Promise<ScimMember[]> =>
  rows<ScimMember>(db`
    select i.id, i.display_name from ${provisioned(db)} and exists (
      select from memberships m where m.group_id = ${group_id} and m.identity_id = i.id and ${isActive(db)})
    order by i.id limit ${most}`)

const idsOf = (found: { id: string }[]): string[] => found.map(({ id }) => id)

/** Of those who are to be members, who is none yet; in the order in which all changes lock them. */
async function listJoining(tx: Tx, group_id: string, { added }: MemberChange): Promise<string[]> {
  const found = await rows<{ id: string }>(tx`
    select named.id from unnest(${uuids(tx, added)}) named (id)
    where not exists (
      select from memberships m where m.group_id = ${group_id} and m.identity_id = named.id and ${isActive(tx)})
    order by 1`)
  return idsOf(found)
}

/** Of those who are to leave, who is a member. Machines are none of a provider's business. */
async function listLeaving(tx: Tx, group_id: string, change: MemberChange): Promise<string[]> {
  const { is_whole, added, removed } = change
  if (!is_whole && removed.length === 0) return []
  const isMeant = is_whole
    ? tx`not exists (select from unnest(${uuids(tx, added)}) named (id) where named.id = m.identity_id)`
    : tx`m.identity_id = any (${uuids(tx, removed)})`
  const found = await rows<{ id: string }>(tx`
    select m.identity_id as id from memberships m
    where m.group_id = ${group_id} and ${isActive(tx)} and ${isMeant}
      and exists (select from ${provisioned(tx)} and i.id = m.identity_id)
    order by 1`)
  return idsOf(found)
}

async function assertPeople(tx: Tx, ids: readonly string[]): Promise<void> {
  const [missing] = await rows<{ id: string }>(tx`
    select named.id from unnest(${uuids(tx, ids)}) named (id)
    where not exists (select from ${provisioned(tx)} and i.id = named.id) limit 1`)
  if (missing !== undefined)
    throw new DomainError('invalid_request', `Members are users, and ${missing.id} is none.`)
}

type Membership = { identity_id: string; email: string; expires_at: string | null }

type Place = { group: { id: string; name: string }; actor: Actor }

const record = (tx: Tx, kind: string, { group, actor }: Place, changed: readonly Membership[], before = {}) =>
  appendAudits(
    tx,
    changed.map((membership) => ({
      kind,
      actor,
      object_type: 'group',
      object_id: group.id,
      detail: { group_name: group.name, ...membership, ...before },
    })),
  )

async function join(tx: Tx, place: Place, ids: readonly string[]): Promise<void> {
  const joined = await rows<Membership>(tx`
    with joined as (
      insert into memberships as m (group_id, identity_id)
      select ${place.group.id}::uuid, id from unnest(${uuids(tx, ids)}) named (id) order by id
      on conflict (group_id, identity_id) do update set expires_at = null, joined_at = clock_timestamp()
      returning identity_id, expires_at
    ) select j.identity_id, i.email, j.expires_at from joined j join identities i on i.id = j.identity_id
    order by 1`)
  await record(tx, 'membership.added', place, joined, { before: null })
}

async function leave(tx: Tx, place: Place, ids: readonly string[]): Promise<void> {
  const left = await rows<Membership>(tx`
    with gone as (
      delete from memberships where group_id = ${place.group.id} and identity_id = any (${uuids(tx, ids)})
      returning identity_id, expires_at
    ) select g.identity_id, i.email, g.expires_at from gone g join identities i on i.id = g.identity_id
    order by 1`)
  await record(tx, 'membership.removed', place, left)
}

/** What a claim gave stays when the claim does not: the provider has said so. */
async function keepNamed(tx: Tx, place: Place, { added }: MemberChange): Promise<void> {
  const kept = await rows<Membership>(tx`
    with kept as (
      delete from sign_in_memberships where group_id = ${place.group.id}
        and identity_id = any (${uuids(tx, added)})
      returning identity_id
    ) select distinct i.id as identity_id, i.email, null as expires_at
    from kept k join identities i on i.id = k.identity_id order by 1`)
  for (const part of inParts(kept))
    await record(tx, 'membership.updated', place, part, { before: { expires_at: null } })
}

/**
 * Changes exactly those who are named, whoever else is a member; who is one for a time stays so for that time. The
 * group is held by the caller, who has asked whether it may be filled.
 * @throws DomainError `invalid_request`
 */
export async function saveScimMembers(tx: Tx, place: Place, change: MemberChange): Promise<void> {
  const joining = await listJoining(tx, place.group.id, change)
  const leaving = await listLeaving(tx, place.group.id, change)
  await assertPeople(tx, joining)
  if (change.added.length > 0) await keepNamed(tx, place, change)
  for (const part of inParts(joining)) await join(tx, place, part)
  for (const part of inParts(leaving)) await leave(tx, place, part)
}
