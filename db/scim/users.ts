import { IdentityInput } from '../../domain/directory.ts'
import { DomainError } from '../../domain/errors.ts'
import type { ScimUser, ScimUserInput } from '../../domain/scim.ts'
import type { Actor } from '../audit.ts'
import { findRow, getRow, rows } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import { keepingAnAdmin } from '../directory/active-admins.ts'
import { changeIdentity, insertIdentity, uniqueInIdentities } from '../directory/identities.ts'
import { removeMembership } from '../directory/memberships.ts'
import { refusingTaken } from '../taken.ts'

const columns = (db: Db) => db`i.id, i.email as user_name, i.display_name, u.given_name, u.family_name,
  u.external_id, i.status = 'active' as is_active, i.created_at, i.updated_at`

/** People alone, and none that the provider has deleted: machines are no business of its. */
export const provisioned = (db: Db) => db`
  identities i left join scim_users u on u.identity_id = i.id where i.kind = 'human' and u.deleted_at is null`

export function findScimUser(db: Db, id: string): Promise<ScimUser | undefined> {
  return findRow<ScimUser>(db`select ${columns(db)} from ${provisioned(db)} and i.id = ${id}`)
}

async function getScimUser(db: Db, id: string): Promise<ScimUser> {
  const user = await findScimUser(db, id)
  if (user === undefined) throw new DomainError('not_found', 'There is no such user.')
  return user
}

/** `id`: a UUID. */
export type UserFilter = Partial<Record<'id' | 'user_name' | 'external_id', string | undefined>> & {
  is_active?: boolean | undefined
}
/** `skipped` come before the page; `limit` 0: only how many there are. */
export type Window = { skipped: number; limit: number }
export type Found<Resource> = { total: number; resources: Resource[] }

export async function listScimUsers(db: Db, filter: UserFilter, window: Window): Promise<Found<ScimUser>> {
  const { id = null, user_name = null, external_id = null, is_active = null } = filter
  const matching = db`from ${provisioned(db)}
    and (${id}::uuid is null or i.id = ${id})
    and (${user_name}::text is null or lower(i.email) = lower(${user_name}))
    and (${external_id}::text is null or u.external_id = ${external_id})
    and (${is_active}::boolean is null or (i.status = 'active') = ${is_active})`
  const { total } = await getRow<{ total: number }>(db`select count(*)::int as total ${matching}`)
  const resources = await rows<ScimUser>(
    db`select ${columns(db)} ${matching} order by i.id limit ${window.limit} offset ${window.skipped}`,
  )
  return { total, resources }
}

const asPatch = ({ user_name, display_name, is_active }: ScimUserInput) => ({
  email: user_name,
  display_name,
  status: is_active ? ('active' as const) : ('disabled' as const),
})

async function saveExtras(tx: Tx, identity_id: string, input: ScimUserInput): Promise<void> {
  const { external_id, given_name, family_name } = input
  await tx`insert into scim_users ${tx({ identity_id, external_id, given_name, family_name })}
    on conflict (identity_id) do update set external_id = excluded.external_id,
      given_name = excluded.given_name, family_name = excluded.family_name, deleted_at = null`
}

/** Identities are never deleted: one that the provider has deleted, and makes again, is the same one. */
const findDeleted = (tx: Tx, { user_name }: ScimUserInput) =>
  findRow<{ id: string }>(tx`
    select i.id from identities i join scim_users u on u.identity_id = i.id
    where lower(i.email) = lower(${user_name}) and i.kind = 'human' and u.deleted_at is not null`)

async function leaveGroups(tx: Tx, identity_id: string, actor: Actor): Promise<void> {
  const groups = await rows<{ group_id: string }>(tx`
    select m.group_id from memberships m join scim_groups s on s.group_id = m.group_id
    where m.identity_id = ${identity_id} and (m.expires_at is null or m.expires_at > clock_timestamp())
    order by m.group_id`)
  for (const { group_id } of groups)
    await removeMembership(tx, { group_id, identity_id, actor, precondition: undefined })
}

/** Whoever put them into a group while they were being deleted did not know. */
async function revive(tx: Tx, id: string, { input, actor }: Create): Promise<void> {
  await leaveGroups(tx, id, actor)
  await changeIdentity(tx, { id, patch: asPatch(input), actor, precondition: undefined })
}

type Create = { id: string; input: ScimUserInput; actor: Actor }

/** @throws DomainError `name_taken`, `forbidden` */
export function createScimUser(sql: Sql, create: Create): Promise<ScimUser> {
  const { id, input, actor } = create
  const work = keepingAnAdmin(sql, actor, async (tx) => {
    const known = await findDeleted(tx, input)
    if (known) await revive(tx, known.id, create)
    else await insertIdentity(tx, { id, input: IdentityInput.parse(asPatch(input)), actor })
    const identity_id = known?.id ?? id
    await saveExtras(tx, identity_id, input)
    return getScimUser(tx, identity_id)
  })
  return refusingTaken(uniqueInIdentities, work)
}

type Change = { id: string; actor: Actor; edit: (before: ScimUser) => Promise<ScimUserInput> }

/**
 * `edit` gets the user as it is, held against other changes. Disabling ends at once what the person has.
 * @throws DomainError `not_found`, `name_taken`, `forbidden`, `last_admin`
 */
export function changeScimUser(sql: Sql, { id, actor, edit }: Change): Promise<ScimUser> {
  const work = keepingAnAdmin(sql, actor, async (tx) => {
    const input = await edit(await getScimUser(tx, id))
    await changeIdentity(tx, { id, patch: asPatch(input), actor, precondition: undefined })
    await saveExtras(tx, id, input)
    return getScimUser(tx, id)
  })
  return refusingTaken(uniqueInIdentities, work)
}

/** Disables the person, takes them out of the provider's groups, and hides them from it. @throws DomainError `not_found`, `last_admin` */
export function deleteScimUser(sql: Sql, { id, actor }: { id: string; actor: Actor }): Promise<void> {
  return keepingAnAdmin(sql, actor, async (tx) => {
    await getScimUser(tx, id)
    await changeIdentity(tx, { id, patch: { status: 'disabled' }, actor, precondition: undefined })
    await leaveGroups(tx, id, actor)
    await tx`insert into scim_users (identity_id, deleted_at) values (${id}, clock_timestamp())
      on conflict (identity_id) do update set deleted_at = excluded.deleted_at`
  })
}
