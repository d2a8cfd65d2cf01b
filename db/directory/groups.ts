import { DomainError } from '../../domain/errors.ts'
import type { Group, GroupInput } from '../../domain/directory.ts'
import { appendAudit } from '../audit.ts'
import type { Actor } from '../audit.ts'
import { findRow, rows, transaction } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'
import type { Versioned } from '../templates.ts'
import { assertVersion } from '../versions.ts'
import type { Precondition } from '../versions.ts'
import { keepingAnAdmin } from './active-admins.ts'
import { holds } from './caller.ts'
import type { Caller } from './caller.ts'
import { edited, isSame, whole } from '../changes.ts'
import { assertMayGrant } from './may-grant.ts'
import { assertGroupUnused } from './references.ts'
import { refusingTaken } from '../taken.ts'

type Row = Group & { version: number }

const columns = (db: Db) => db`g.id, g.name, g.description, g.permissions, g.kind,
  array(select c.mapping_id from group_mappings c where c.group_id = g.id order by c.mapping_id) as mapping_ids,
  g.expires_at, g.created_at, g.updated_at`

const isActive = (db: Db) => db`(g.expires_at is null or g.expires_at > clock_timestamp())`

/** What a request gave is for those to see who may see the request: who reads the audit, who holds it, and its owner. */
const isVisible = (
  db: Db,
  viewer: Caller,
) => db`${isActive(db)} and (g.kind = 'standing' or ${holds(viewer, 'audit.read')}
  or exists (select from grants t join identities s on s.id = t.subject_id
             where t.group_id = g.id and ${viewer.id} in (s.id, s.owner_id)))`

const asVersioned = ({ version, ...resource }: Row): Versioned<Group> => ({ resource, version })

export async function findGroup(db: Db, id: string, viewer: Caller): Promise<Versioned<Group> | undefined> {
  const row = await findRow<Row>(
    db`select ${columns(db)}, g.version from groups g where g.id = ${id} and ${isVisible(db, viewer)}`,
  )
  return row && asVersioned(row)
}

export async function listGroups(db: Db, viewer: Caller, page: PageRequest): Promise<Page<Group>> {
  const found = await rows<Group>(db`
    select ${columns(db)} from groups g
    where (${page.after}::uuid is null or g.id > ${page.after}) and ${isVisible(db, viewer)}
    order by g.id limit ${page.limit + 1}`)
  return toPage('groups', page, found)
}

/** @throws DomainError `not_found`; `temporary_group` for what only requests may change */
async function getStanding(tx: Tx, id: string): Promise<Versioned<Group>> {
  const row = await findRow<Row>(
    tx`select ${columns(tx)}, g.version from groups g where g.id = ${id} and ${isActive(tx)}`,
  )
  if (row === undefined) throw new DomainError('not_found', 'There is no such group.')
  if (row.kind === 'standing') return asVersioned(row)
  throw new DomainError(
    'temporary_group',
    'This group belongs to an access request and lives and ends with it.',
  )
}

/** Holds a standing group for an edit; as `getStanding`. */
export async function lockGroup(tx: Tx, id: string): Promise<Versioned<Group>> {
  await tx`select from groups where id = ${id} for no key update`
  return getStanding(tx, id)
}

/** Says that what a group's resource shows was changed. */
export async function touchGroup(tx: Tx, id: string): Promise<void> {
  await tx`update groups set version = version + 1, updated_at = clock_timestamp() where id = ${id}`
}

/** For `refusingTaken`. */
export const uniqueInGroups = { groups_name: 'name' }

type Save = { id: string; input: GroupInput; actor: Actor }

/** The same id twice is the same creation. @throws DomainError `forbidden`, `name_taken` */
export const createGroup = (sql: Sql, save: Save): Promise<Versioned<Group>> =>
  refusingTaken(
    uniqueInGroups,
    transaction(sql, (tx) => insertGroup(tx, save)),
  )

/** As `createGroup`; a name that is taken is the database's own refusal. */
export async function insertGroup(tx: Tx, { id, input, actor }: Save): Promise<Versioned<Group>> {
  await assertMayGrant(tx, actor, { permissions: input.permissions })
  const inserted = await rows(
    tx`insert into groups ${tx({ id, ...input })} on conflict (id) do nothing returning id`,
  )
  const created = await getStanding(tx, id)
  if (inserted.length > 0) await appendAudit(tx, whole('group.created', actor, created.resource))
  return created
}

type Replace = Save & { precondition: Precondition }

const added = (before: Group, input: GroupInput) =>
  input.permissions.filter((permission) => !before.permissions.includes(permission))

/**
 * Taking permissions away needs no right to grant them.
 * @throws DomainError `not_found`, `temporary_group`, `precondition_failed`, `forbidden`, `name_taken`, `last_admin`
 */
export const replaceGroup = (sql: Sql, change: Replace): Promise<Versioned<Group>> =>
  refusingTaken(
    uniqueInGroups,
    keepingAnAdmin(sql, change.actor, (tx) => changeGroup(tx, change)),
  )

/** As `replaceGroup`, in a transaction that keeps an admin; a name that is taken is the database's own refusal. */
export async function changeGroup(
  tx: Tx,
  { id, input, actor, precondition }: Replace,
): Promise<Versioned<Group>> {
  const before = await lockGroup(tx, id)
  assertVersion(precondition, before.version)
  if (isSame(before.resource, { ...before.resource, ...input })) return before
  await assertMayGrant(tx, actor, { permissions: added(before.resource, input) })
  await tx`update groups set ${tx(input)} where id = ${id}`
  await touchGroup(tx, id)
  const after = await getStanding(tx, id)
  await appendAudit(tx, edited('group.updated', actor, before.resource, after.resource))
  return after
}

/**
 * Its memberships and standing entitlements go with it.
 * @throws DomainError `not_found`, `temporary_group`, `precondition_failed`, `in_use`, `last_admin`
 */
export const deleteGroup = (sql: Sql, removal: Omit<Replace, 'input'>): Promise<void> =>
  keepingAnAdmin(sql, removal.actor, (tx) => removeGroup(tx, removal))

/** As `deleteGroup`, in a transaction that keeps an admin. */
export async function removeGroup(
  tx: Tx,
  { id, actor, precondition }: Omit<Replace, 'input'>,
): Promise<void> {
  await tx`select from groups where id = ${id} for update`
  const { resource, version } = await getStanding(tx, id)
  assertVersion(precondition, version)
  await assertGroupUnused(tx, id)
  await tx`delete from groups where id = ${id}`
  await appendAudit(tx, whole('group.deleted', actor, resource))
}
