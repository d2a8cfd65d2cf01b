import { DomainError } from '../../domain/errors.ts'
import type { Application, ApplicationInput } from '../../domain/directory.ts'
import { appendAudit } from '../audit.ts'
import type { Actor, Json } from '../audit.ts'
import { findRow, rows, transaction } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'
import type { Versioned } from '../templates.ts'
import { assertVersion } from '../versions.ts'
import type { Precondition } from '../versions.ts'
import { edited, isSame, whole } from '../changes.ts'
import { assertMayGrant } from './may-grant.ts'
import { assertApplicationUnused } from './references.ts'
import { refusingTaken } from '../taken.ts'

const columns = (db: Db) => db`id, name, slug, description, owner_group_id, created_at, updated_at`

export async function findApplication(db: Db, id: string): Promise<Versioned<Application> | undefined> {
  const row = await findRow<Application & { version: number }>(
    db`select ${columns(db)}, version from applications where id = ${id}`,
  )
  if (row === undefined) return undefined
  const { version, ...resource } = row
  return { resource, version }
}

export async function listApplications(db: Db, page: PageRequest): Promise<Page<Application>> {
  const found = await rows<Application>(db`
    select ${columns(db)} from applications where ${page.after}::uuid is null or id > ${page.after}
    order by id limit ${page.limit + 1}`)
  return toPage('applications', page, found)
}

async function getApplication(tx: Tx, id: string): Promise<Versioned<Application>> {
  const application = await findApplication(tx, id)
  if (application === undefined) throw new DomainError('not_found', 'There is no such application.')
  return application
}

/** Holds the owner group against deletion. */
async function assertOwner(tx: Tx, { owner_group_id }: ApplicationInput): Promise<void> {
  if (owner_group_id === null) return
  const group = await findRow(
    tx`select id from groups where id = ${owner_group_id} and kind = 'standing' for key share`,
  )
  if (group) return
  throw new DomainError('invalid_request', 'There is no such owner group.', {
    errors: [{ pointer: '/owner_group_id', detail: 'does not exist' }],
  })
}

const unique = { applications_name: 'name', applications_slug_key: 'slug' }

type Save = { id: string; input: ApplicationInput; actor: Actor }

/** The same id twice is the same creation. @throws DomainError `invalid_request`, `name_taken` */
export function createApplication(sql: Sql, { id, input, actor }: Save): Promise<Versioned<Application>> {
  const work = transaction(sql, async (tx) => {
    await assertOwner(tx, input)
    const inserted = await rows(
      tx`insert into applications ${tx({ id, ...input })} on conflict (id) do nothing returning id`,
    )
    const created = await getApplication(tx, id)
    if (inserted.length > 0) await appendAudit(tx, whole('application.created', actor, created.resource))
    return created
  })
  return refusingTaken(unique, work)
}

type Replace = Save & { precondition: Precondition }

/** Its owners are who may grant its entitlements; its slug is who trusts the tokens that carry them. */
const isHandedOver = (before: Application, input: ApplicationInput): boolean =>
  before.owner_group_id !== input.owner_group_id || before.slug !== input.slug

/** @throws DomainError `not_found`, `precondition_failed`, `forbidden`, `invalid_request`, `name_taken` */
export function replaceApplication(
  sql: Sql,
  { id, input, actor, precondition }: Replace,
): Promise<Versioned<Application>> {
  const work = transaction(sql, async (tx) => {
    await tx`select from applications where id = ${id} for update`
    const before = await getApplication(tx, id)
    assertVersion(precondition, before.version)
    if (isSame(before.resource, { ...before.resource, ...input })) return before
    if (isHandedOver(before.resource, input)) await assertMayGrant(tx, actor, { app_ids: [id] })
    await assertOwner(tx, input)
    await tx`update applications set ${tx(input)}, version = version + 1, updated_at = clock_timestamp()
      where id = ${id}`
    const after = await getApplication(tx, id)
    await appendAudit(tx, edited('application.updated', actor, before.resource, after.resource))
    return after
  })
  return refusingTaken(unique, work)
}

/** Returns what each of them was. */
const deleteMappings = (tx: Tx, app_id: string): Promise<{ [column: string]: Json }[]> =>
  rows(tx`
    delete from app_mappings where app_id = ${app_id} returning id, name, claim, value, privilege_level`)

/**
 * Its mappings go with it, unless one of them is in use.
 * Its slug is free then for another one.
 * @throws DomainError `not_found`, `precondition_failed`, `forbidden`, `in_use`
 */
export function deleteApplication(
  sql: Sql,
  { id, actor, precondition }: Omit<Replace, 'input'>,
): Promise<void> {
  return transaction(sql, async (tx) => {
    await tx`select from applications where id = ${id} for update`
    const { resource, version } = await getApplication(tx, id)
    assertVersion(precondition, version)
    await assertMayGrant(tx, actor, { app_ids: [id] })
    await tx`select from app_mappings where app_id = ${id} order by id for update`
    await assertApplicationUnused(tx, id)
    const mappings = await deleteMappings(tx, id)
    await tx`delete from applications where id = ${id}`
    await appendAudit(tx, whole('application.deleted', actor, { ...resource, mappings }))
  })
}
