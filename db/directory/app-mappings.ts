import { DomainError } from '../../domain/errors.ts'
import type { AppMapping, AppMappingInput } from '../../domain/directory.ts'
import { appendAudit } from '../audit.ts'
import type { Actor } from '../audit.ts'
import { findRow, rows, transaction } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'
import type { Versioned } from '../templates.ts'
import { assertVersion } from '../versions.ts'
import type { Precondition } from '../versions.ts'
import { edited, isSame, whole } from '../changes.ts'
import { assertMayGrant } from './may-grant.ts'
import { assertMappingNotRequested, assertMappingUnused, lockTemplatesNaming } from './references.ts'
import { refusingTaken } from '../taken.ts'

const columns = (db: Db) => db`id, app_id, name, claim, value, privilege_level, created_at, updated_at`

export async function findAppMapping(db: Db, id: string): Promise<Versioned<AppMapping> | undefined> {
  const row = await findRow<AppMapping & { version: number }>(
    db`select ${columns(db)}, version from app_mappings where id = ${id}`,
  )
  if (row === undefined) return undefined
  const { version, ...resource } = row
  return { resource, version }
}

/** The name of an application's list of mappings, for its cursors. */
export const mappingsOf = (app_id: string): string => `mappings/${app_id}`

export async function listAppMappings(db: Db, app_id: string, page: PageRequest): Promise<Page<AppMapping>> {
  const found = await rows<AppMapping>(db`
    select ${columns(db)} from app_mappings
    where app_id = ${app_id} and (${page.after}::uuid is null or id > ${page.after})
    order by id limit ${page.limit + 1}`)
  return toPage(mappingsOf(app_id), page, found)
}

async function getAppMapping(tx: Tx, id: string): Promise<Versioned<AppMapping>> {
  const mapping = await findAppMapping(tx, id)
  if (mapping === undefined) throw new DomainError('not_found', 'There is no such mapping.')
  return mapping
}

const unique = { app_mappings_name: 'name' }

type Save = { id: string; input: AppMappingInput; actor: Actor }

/** The same id twice is the same creation. @throws DomainError `not_found` for the application, `name_taken` */
export function createAppMapping(
  sql: Sql,
  { id, app_id, input, actor }: Save & { app_id: string },
): Promise<Versioned<AppMapping>> {
  const work = transaction(sql, async (tx) => {
    const application = await findRow(tx`select id from applications where id = ${app_id} for key share`)
    if (application === undefined) throw new DomainError('not_found', 'There is no such application.')
    const inserted = await rows(
      tx`insert into app_mappings ${tx({ id, app_id, ...input })} on conflict (id) do nothing returning id`,
    )
    const created = await getAppMapping(tx, id)
    if (inserted.length > 0) await appendAudit(tx, whole('app_mapping.created', actor, created.resource))
    return created
  })
  return refusingTaken(unique, work)
}

type Replace = Save & { precondition: Precondition }

/** Whoever holds a mapping would hold something else: that is for the application's owners, not for holders. */
async function assertMayRepoint(tx: Tx, before: AppMapping, { input, actor }: Replace): Promise<void> {
  const isOther = before.claim !== input.claim || before.value !== input.value
  if (!isOther && before.privilege_level === input.privilege_level) return
  await assertMayGrant(tx, actor, { app_ids: [before.app_id] })
  if (isOther) await assertMappingNotRequested(tx, before.id)
}

/**
 * While an open request names the mapping its claim and value stay: the request's record says what was granted.
 * @throws DomainError `not_found`, `precondition_failed`, `forbidden`, `in_use`, `name_taken`
 */
export function replaceAppMapping(sql: Sql, change: Replace): Promise<Versioned<AppMapping>> {
  const { id, input, actor, precondition } = change
  const work = transaction(sql, async (tx) => {
    await lockTemplatesNaming(tx, id)
    await tx`select from app_mappings where id = ${id} for no key update`
    const before = await getAppMapping(tx, id)
    assertVersion(precondition, before.version)
    const { resource } = before
    if (isSame(resource, { ...resource, ...input })) return before
    await assertMayRepoint(tx, resource, change)
    await tx`update app_mappings set ${tx(input)}, version = version + 1, updated_at = clock_timestamp()
      where id = ${id}`
    const after = await getAppMapping(tx, id)
    await appendAudit(tx, edited('app_mapping.updated', actor, resource, after.resource))
    return after
  })
  return refusingTaken(unique, work)
}

/** @throws DomainError `not_found`, `precondition_failed`, `in_use` */
export function deleteAppMapping(
  sql: Sql,
  { id, actor, precondition }: Omit<Replace, 'input'>,
): Promise<void> {
  return transaction(sql, async (tx) => {
    await tx`select from app_mappings where id = ${id} for update`
    const { resource, version } = await getAppMapping(tx, id)
    assertVersion(precondition, version)
    await assertMappingUnused(tx, id)
    await tx`delete from app_mappings where id = ${id}`
    await appendAudit(tx, whole('app_mapping.deleted', actor, resource))
  })
}
