import { GroupInput } from '../../domain/directory.ts'
import { DomainError } from '../../domain/errors.ts'
import type { MemberChange, ScimGroup, ScimGroupInput } from '../../domain/scim.ts'
import type { Actor } from '../audit.ts'
import { findRow, getRow, rows, transaction } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import { keepingAnAdmin } from '../directory/active-admins.ts'
import { changeGroup, insertGroup, lockGroup, removeGroup, uniqueInGroups } from '../directory/groups.ts'
import { assertMayGrant } from '../directory/may-grant.ts'
import { refusingTaken } from '../taken.ts'
import { saveScimMembers } from './members.ts'
import type { Found, Window } from './users.ts'

/** Without members: there may be many, and most calls do not ask for them. */
const columns = (db: Db) => db`g.id, g.name as display_name, s.external_id, g.created_at, g.updated_at`

export function findScimGroup(db: Db, id: string): Promise<ScimGroup | undefined> {
  return findRow<ScimGroup>(db`
    select ${columns(db)} from groups g join scim_groups s on s.group_id = g.id where g.id = ${id}`)
}

/** @throws DomainError `not_found` */
export async function getScimGroup(db: Db, id: string): Promise<ScimGroup> {
  const group = await findScimGroup(db, id)
  if (group === undefined) throw new DomainError('not_found', 'There is no such group.')
  return group
}

/** `id`, `member`: UUIDs. */
export type GroupFilter = Partial<
  Record<'id' | 'display_name' | 'external_id' | 'member', string | undefined>
>

export async function listScimGroups(db: Db, filter: GroupFilter, window: Window): Promise<Found<ScimGroup>> {
  const { id = null, display_name = null, external_id = null, member = null } = filter
  const matching = db`from groups g join scim_groups s on s.group_id = g.id
    where (${id}::uuid is null or g.id = ${id})
      and (${display_name}::text is null or lower(g.name) = lower(${display_name}))
      and (${external_id}::text is null or s.external_id = ${external_id})
      and (${member}::uuid is null or exists (
        select from memberships m where m.group_id = g.id and m.identity_id = ${member}
          and (m.expires_at is null or m.expires_at > clock_timestamp())))`
  const { total } = await getRow<{ total: number }>(db`select count(*)::int as total ${matching}`)
  const resources = await rows<ScimGroup>(
    db`select ${columns(db)} ${matching} order by g.id limit ${window.limit} offset ${window.skipped}`,
  )
  return { total, resources }
}

type Of = { id: string; actor: Actor }
type Create = Of & { input: ScimGroupInput; member_ids: readonly string[] }

const whole = (member_ids: readonly string[]): MemberChange => ({
  is_whole: true,
  added: member_ids,
  removed: [],
})

/** @throws DomainError `name_taken`, `invalid_request` */
export function createScimGroup(sql: Sql, { id, input, member_ids, actor }: Create): Promise<ScimGroup> {
  const { display_name: name, external_id } = input
  const work = transaction(sql, async (tx) => {
    await insertGroup(tx, { id, input: GroupInput.parse({ name }), actor })
    await tx`insert into scim_groups ${tx({ group_id: id, external_id, is_linked: false })}`
    await saveScimMembers(tx, { group: { id, name }, actor }, whole(member_ids))
    return getScimGroup(tx, id)
  })
  return refusingTaken(uniqueInGroups, work)
}

async function saveInput(tx: Tx, { id, actor }: Of, input: ScimGroupInput): Promise<void> {
  const { description, permissions } = (await lockGroup(tx, id)).resource
  const next = { name: input.display_name, description, permissions }
  await changeGroup(tx, { id, input: next, actor, precondition: undefined })
  await tx`update scim_groups set external_id = ${input.external_id} where group_id = ${id}`
}

/** Held against other changes; what gives privileges is for admins, also to empty. @throws DomainError `not_found`, `forbidden` */
async function holdGroup(tx: Tx, { id, actor }: Of): Promise<ScimGroup> {
  await tx`select from groups where id = ${id} for no key update`
  const group = await getScimGroup(tx, id)
  await lockGroup(tx, id)
  await assertMayGrant(tx, actor, { group_ids: [id] })
  return group
}

async function makesAdmins(tx: Tx, id: string): Promise<boolean> {
  const { found } = await getRow<{ found: boolean }>(
    tx`select 'access_requests.manage' = any (permissions) as found from groups where id = ${id}`,
  )
  return found
}

/**
 * Holds a group for a change. Thousands of members take a while: where nobody can be an admin by them, those who change
 * who is one do not wait for that.
 */
async function holding<Result>(
  sql: Sql,
  of: Of,
  work: (tx: Tx, before: ScimGroup) => Promise<Result>,
): Promise<Result> {
  const done = await transaction(sql, async (tx) => {
    const before = await holdGroup(tx, of)
    return (await makesAdmins(tx, of.id)) ? undefined : { result: await work(tx, before) }
  })
  if (done) return done.result
  return keepingAnAdmin(sql, of.actor, async (tx) => work(tx, await holdGroup(tx, of)))
}

/** `edit`, `members`: absent where nothing is said of them. */
type Change = Of & {
  edit?: ((before: ScimGroup) => Promise<ScimGroupInput>) | undefined
  members?: MemberChange | undefined
}

/** As `changeScimUser`. @throws DomainError `not_found`, `forbidden`, `name_taken`, `invalid_request`, `last_admin` */
export function changeScimGroup(sql: Sql, { edit, members, ...of }: Change): Promise<ScimGroup> {
  const work = holding(sql, of, async (tx, before) => {
    if (edit) await saveInput(tx, of, await edit(before))
    const after = edit ? await getScimGroup(tx, of.id) : before
    const group = { id: of.id, name: after.display_name }
    if (members) await saveScimMembers(tx, { group, actor: of.actor }, members)
    return after
  })
  return refusingTaken(uniqueInGroups, work)
}

/**
 * A group that the provider made goes; one that an admin linked is emptied of its people and no longer the provider's.
 * @throws DomainError `not_found`, `forbidden`, `in_use`, `last_admin`
 */
export function deleteScimGroup(sql: Sql, { id, actor }: Of): Promise<void> {
  return holding(sql, { id, actor }, async (tx, { display_name: name }) => {
    const { is_linked } = await getRow<{ is_linked: boolean }>(
      tx`select is_linked from scim_groups where group_id = ${id}`,
    )
    if (!is_linked) return removeGroup(tx, { id, actor, precondition: undefined })
    await saveScimMembers(tx, { group: { id, name }, actor }, whole([]))
    await tx`delete from scim_groups where group_id = ${id}`
    return undefined
  })
}
