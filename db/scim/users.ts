import { DomainError } from '../../domain/errors.ts'
import type { ScimUser, ScimUserInput } from '../../domain/scim.ts'
import { appendAudit } from '../audit.ts'
import type { Actor } from '../audit.ts'
import { findRow, getRow, rows, transaction } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import { keepingAnAdmin } from '../directory/active-admins.ts'
import { assertNotDisabledByHand, DisabledByHand } from '../directory/hand.ts'
import { changeIdentity, uniqueInIdentities } from '../directory/identities.ts'
import { refusingTaken } from '../taken.ts'
import { asPatch, createOrRevive, leaveGroups, releaseAddressOf } from './deleted-users.ts'
import type { Create } from './deleted-users.ts'

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

async function saveExtras(tx: Tx, identity_id: string, input: ScimUserInput): Promise<void> {
  const { external_id, given_name, family_name } = input
  await tx`insert into scim_users ${tx({ identity_id, external_id, given_name, family_name })}
    on conflict (identity_id) do update set external_id = excluded.external_id,
      given_name = excluded.given_name, family_name = excluded.family_name, deleted_at = null`
}

/** That a provider was not heeded is on record; what refused it is gone. */
async function recordingRefusal<Result>(sql: Sql, actor: Actor, work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    if (error instanceof DisabledByHand) {
      const object = { object_type: 'identity', object_id: error.identity_id }
      await transaction(sql, (tx) => appendAudit(tx, { kind: 'identity.enabling_refused', actor, ...object }))
    }
    throw error
  }
}

const saving = <Result>(sql: Sql, actor: Actor, work: (tx: Tx) => Promise<Result>): Promise<Result> =>
  recordingRefusal(sql, actor, refusingTaken(uniqueInIdentities, keepingAnAdmin(sql, actor, work)))

/** @throws DomainError `name_taken`, `forbidden` */
export function createScimUser(sql: Sql, create: Create): Promise<ScimUser> {
  return saving(sql, create.actor, async (tx) => {
    const identity_id = await createOrRevive(tx, create)
    await saveExtras(tx, identity_id, create.input)
    return getScimUser(tx, identity_id)
  })
}

type Change = { id: string; actor: Actor; edit: (before: ScimUser) => Promise<ScimUserInput> }

async function change(tx: Tx, { id, actor, edit }: Change): Promise<ScimUser> {
  const input = await edit(await getScimUser(tx, id))
  if (input.is_active) await assertNotDisabledByHand(tx, id)
  await releaseAddressOf(tx, input, actor)
  await changeIdentity(tx, { id, patch: asPatch(input), actor, precondition: undefined })
  await saveExtras(tx, id, input)
  return getScimUser(tx, id)
}

/**
 * `edit` gets the user as it is, held against other changes. Disabling ends at once what the person has; whom an admin
 * has disabled by hand only an admin enables.
 * @throws DomainError `not_found`, `name_taken`, `forbidden`, `last_admin`
 */
export const changeScimUser = (sql: Sql, { id, actor, edit }: Change): Promise<ScimUser> =>
  saving(sql, actor, (tx) => change(tx, { id, actor, edit }))

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
