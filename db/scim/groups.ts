import { GroupInput } from '../../domain/directory.ts'
import { DomainError } from '../../domain/errors.ts'
import type { ScimGroup, ScimGroupInput } from '../../domain/scim.ts'
import type { Actor } from '../audit.ts'
import { findRow, getRow, rows } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import { keepingAnAdmin } from '../directory/active-admins.ts'
import { changeGroup, insertGroup, lockGroup, removeGroup, uniqueInGroups } from '../directory/groups.ts'
import { assertMayGrant } from '../directory/may-grant.ts'
import { removeMembership, saveMembership } from '../directory/memberships.ts'
import { refusingTaken } from '../taken.ts'
import { provisioned } from './users.ts'
import type { Found, Window } from './users.ts'

/** Without members: there may be many, and most calls do not ask for them. */
const columns = (db: Db) => db`g.id, g.name as display_name, s.external_id, g.created_at, g.updated_at`

type Row = Omit<ScimGroup, 'members'>

const listPeople = (db: Db, group_id: string): Promise<ScimGroup['members']> =>
  rows<ScimGroup['members'][number]>(db`
    select i.id, i.display_name from ${provisioned(db)} and exists (
      select from memberships m where m.group_id = ${group_id} and m.identity_id = i.id
        and (m.expires_at is null or m.expires_at > clock_timestamp()))
    order by i.id`)

export async function findScimGroup(db: Db, id: string): Promise<ScimGroup | undefined> {
  const row = await findRow<Row>(db`
    select ${columns(db)} from groups g join scim_groups s on s.group_id = g.id where g.id = ${id}`)
  return row && { ...row, members: await listPeople(db, id) }
}

async function getScimGroup(db: Db, id: string): Promise<ScimGroup> {
  const group = await findScimGroup(db, id)
  if (group === undefined) throw new DomainError('not_found', 'There is no such group.')
  return group
}

export type GroupFilter = Partial<
  Record<'id' | 'display_name' | 'external_id' | 'member', string | undefined>
>

export async function listScimGroups(
  db: Db,
  filter: GroupFilter,
  window: Window & { with_members: boolean },
): Promise<Found<ScimGroup>> {
  const { id = null, display_name = null, external_id = null, member = null } = filter
  const matching = db`from groups g join scim_groups s on s.group_id = g.id
    where (${id}::text is null or g.id::text = lower(${id}))
      and (${display_name}::text is null or lower(g.name) = lower(${display_name}))
      and (${external_id}::text is null or s.external_id = ${external_id})
      and (${member}::text is null or exists (
        select from memberships m where m.group_id = g.id and m.identity_id::text = lower(${member})
          and (m.expires_at is null or m.expires_at > clock_timestamp())))`
  const { total } = await getRow<{ total: number }>(db`select count(*)::int as total ${matching}`)
  const found = await rows<Row>(
    db`select ${columns(db)} ${matching} order by g.id limit ${window.limit} offset ${window.skipped}`,
  )
  const resources: ScimGroup[] = []
  for (const row of found)
    resources.push({ ...row, members: window.with_members ? await listPeople(db, row.id) : [] })
  return { total, resources }
}

async function assertPeople(tx: Tx, member_ids: readonly string[]): Promise<void> {
  const found = await rows<{ id: string }>(
    tx`select i.id from ${provisioned(tx)} and i.id = any (${[...member_ids]}::uuid[])`,
  )
  const known = new Set(found.map(({ id }) => id))
  const missing = member_ids.find((id) => !known.has(id))
  if (missing !== undefined)
    throw new DomainError('invalid_request', `Members are users, and ${missing} is none.`)
}

type Save = { id: string; input: ScimGroupInput; actor: Actor }

/** Who is a member for a time stays so for that time. */
async function saveMembers(tx: Tx, { id, input, actor }: Save, before: ScimGroup['members']): Promise<void> {
  const wanted = new Set<string>(input.member_ids)
  const present = new Set(before.map((member) => member.id))
  const added = [...wanted].filter((member) => !present.has(member)).sort()
  await assertPeople(tx, added)
  const place = { group_id: id, actor, precondition: undefined }
  for (const identity_id of added) await saveMembership(tx, { ...place, identity_id, expires_at: null })
  for (const identity_id of present)
    if (!wanted.has(identity_id)) await removeMembership(tx, { ...place, identity_id })
}

/** @throws DomainError `name_taken`, `invalid_request` */
export function createScimGroup(sql: Sql, save: Save): Promise<ScimGroup> {
  const { id, input, actor } = save
  const work = keepingAnAdmin(sql, actor, async (tx) => {
    await insertGroup(tx, { id, input: GroupInput.parse({ name: input.display_name }), actor })
    const { external_id } = input
    await tx`insert into scim_groups ${tx({ group_id: id, external_id, is_linked: false })}`
    await saveMembers(tx, save, [])
    return getScimGroup(tx, id)
  })
  return refusingTaken(uniqueInGroups, work)
}

async function rename(tx: Tx, { id, input, actor }: Save): Promise<void> {
  const { description, permissions } = (await lockGroup(tx, id)).resource
  const next = { name: input.display_name, description, permissions }
  await changeGroup(tx, { id, input: next, actor, precondition: undefined })
}

/** Held against other changes; what gives privileges is for admins, also to empty. @throws DomainError `not_found`, `forbidden` */
async function holdGroup(tx: Tx, { id, actor }: Omit<Save, 'input'>): Promise<ScimGroup> {
  await tx`select from groups where id = ${id} for no key update`
  const group = await getScimGroup(tx, id)
  await assertMayGrant(tx, actor, { group_ids: [id] })
  return group
}

type Change = Omit<Save, 'input'> & { edit: (before: ScimGroup) => Promise<ScimGroupInput> }

/** As `changeScimUser`. @throws DomainError `not_found`, `forbidden`, `name_taken`, `invalid_request`, `last_admin` */
export function changeScimGroup(sql: Sql, { id, actor, edit }: Change): Promise<ScimGroup> {
  const work = keepingAnAdmin(sql, actor, async (tx) => {
    const before = await holdGroup(tx, { id, actor })
    const save = { id, actor, input: await edit(before) }
    await rename(tx, save)
    await tx`update scim_groups set external_id = ${save.input.external_id} where group_id = ${id}`
    await saveMembers(tx, save, before.members)
    return getScimGroup(tx, id)
  })
  return refusingTaken(uniqueInGroups, work)
}

/**
 * A group that the provider made goes; one that an admin linked is emptied of its people and no longer the provider's.
 * @throws DomainError `not_found`, `forbidden`, `in_use`, `last_admin`
 */
export function deleteScimGroup(sql: Sql, { id, actor }: Omit<Save, 'input'>): Promise<void> {
  return keepingAnAdmin(sql, actor, async (tx) => {
    const before = await holdGroup(tx, { id, actor })
    const { is_linked } = await getRow<{ is_linked: boolean }>(
      tx`select is_linked from scim_groups where group_id = ${id}`,
    )
    if (!is_linked) return removeGroup(tx, { id, actor, precondition: undefined })
    const empty = { display_name: before.display_name, external_id: null, member_ids: [] }
    await saveMembers(tx, { id, actor, input: empty }, before.members)
    await tx`delete from scim_groups where group_id = ${id}`
    return undefined
  })
}
