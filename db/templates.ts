import { randomUUIDv7 } from 'node:crypto'

import { identifyFields } from '../domain/custom-fields.ts'
import { DomainError } from '../domain/errors.ts'
import type { FieldError } from '../domain/errors.ts'
import type { Template, TemplateInput } from '../domain/template.ts'
import { appendAudit } from './audit.ts'
import type { Actor } from './audit.ts'
import { edited, whole } from './changes.ts'
import { findRow, getRow, rows, transaction } from './client.ts'
import type { Db, Sql, Tx } from './client.ts'
import { assertMayGrant } from './directory/may-grant.ts'
import { toPage } from './paging.ts'
import type { Page, PageRequest } from './paging.ts'
import { refusingTaken } from './taken.ts'
import { assertVersion } from './versions.ts'
import type { Precondition } from './versions.ts'

export type Versioned<Resource> = { resource: Resource; version: number }

const columns = (
  db: Db,
) => db`id, name, description, app_id, mapping_ids, allowed_durations, approver_group_ids,
  allowed_group_ids, prefer_requester_groups, require_justification, auto_approve, notification_policy,
  notification_count, escalation_after_mins, escalation_group_id, custom_fields, trigger_task_id,
  trigger_task_failure_mode, created_at, updated_at`

/** A template, held against change until the transaction ends when `lock` says so. */
export function readTemplate(
  tx: Tx,
  id: string,
  lock: 'for share' | 'for update',
): Promise<Template | undefined> {
  const locking = lock === 'for share' ? tx`for share` : tx`for update`
  return findRow<Template>(tx`select ${columns(tx)} from templates where id = ${id} ${locking}`)
}

export async function findTemplate(db: Db, id: string): Promise<Versioned<Template> | undefined> {
  const row = await findRow<Template & { version: number }>(
    db`select ${columns(db)}, version from templates where id = ${id}`,
  )
  if (row === undefined) return undefined
  const { version, ...resource } = row
  return { resource, version }
}

export async function listTemplates(db: Db, page: PageRequest): Promise<Page<Template>> {
  const found = await rows<Template>(db`
    select ${columns(db)} from templates where ${page.after}::uuid is null or id > ${page.after}
    order by id limit ${page.limit + 1}`)
  return toPage('templates', page, found)
}

type Reference = { id: string; index: number }

/** References are held against deletion while the template that names them is saved. */
async function findMissing(tx: Tx, input: TemplateInput): Promise<FieldError[]> {
  const check = async (
    field: string,
    ids: readonly string[],
    query: (ids: string[]) => Promise<Reference[]>,
  ) => {
    const found = new Set((await query([...ids])).map(({ id }) => id))
    return ids.flatMap((id, index) =>
      found.has(id)
        ? []
        : [{ pointer: `/${field}${field.endsWith('_ids') ? `/${index}` : ''}`, detail: 'does not exist' }],
    )
  }
  const groups = (ids: string[]) =>
    rows<Reference>(
      tx`select id from groups where id = any (${ids}::uuid[]) and kind = 'standing' for key share`,
    )
  const optional = (id: string | null) => (id === null ? [] : [id])
  return [
    ...(await check('app_id', [input.app_id], (ids) =>
      rows<Reference>(tx`select id from applications where id = any (${ids}::uuid[]) for key share`),
    )),
    ...(await check('mapping_ids', input.mapping_ids, (ids) =>
      rows<Reference>(
        tx`select id from app_mappings where id = any (${ids}::uuid[]) and app_id = ${input.app_id} for key share`,
      ),
    )),
    ...(await check('approver_group_ids', input.approver_group_ids, groups)),
    ...(await check('allowed_group_ids', input.allowed_group_ids, groups)),
    ...(await check('escalation_group_id', optional(input.escalation_group_id), groups)),
    ...(await check('trigger_task_id', optional(input.trigger_task_id), (ids) =>
      rows<Reference>(tx`select id from script_tasks where id = any (${ids}::uuid[]) for key share`),
    )),
  ]
}

async function assertReferences(tx: Tx, input: TemplateInput): Promise<void> {
  const errors = await findMissing(tx, input)
  if (errors.length === 0) return
  const detail = errors.map(({ pointer, detail }) => `${pointer.slice(1)} ${detail}`).join('; ')
  throw new DomainError('invalid_request', `The template refers to what is not there: ${detail}.`, { errors })
}

const uniqueFields = { templates_name: 'name' }

const asRow = (tx: Tx, input: TemplateInput, before: Template['custom_fields']) => ({
  ...input,
  custom_fields: tx.json(identifyFields(input.custom_fields, before, randomUUIDv7)) as never,
})

type Save = { id: string; input: TemplateInput; actor: Actor }

/** Who says how a mapping can be had may grant it; who says when a script runs may say what scripts do. */
async function assertMayOffer(
  tx: Tx,
  input: TemplateInput,
  actor: Actor,
  bound: string | null,
): Promise<void> {
  const { mapping_ids, trigger_task_id } = input
  const isBinding = trigger_task_id !== null && trigger_task_id !== bound
  await assertMayGrant(tx, actor, { mapping_ids, permissions: isBinding ? ['scripts.manage'] : [] })
}

/** The same id twice is the same creation. @throws DomainError `invalid_request`, `forbidden`, `name_taken` */
export function createTemplate(sql: Sql, { id, input, actor }: Save): Promise<Versioned<Template>> {
  const work = transaction(sql, async (tx) => {
    await assertReferences(tx, input)
    await assertMayOffer(tx, input, actor, null)
    const inserted = await rows(tx`
      insert into templates ${tx({ id, ...asRow(tx, input, []) })} on conflict (id) do nothing returning id`)
    const created = await getTemplate(tx, id)
    if (inserted.length > 0) await appendAudit(tx, whole('template.created', actor, created.resource))
    return created
  })
  return refusingTaken(uniqueFields, work)
}

async function getTemplate(tx: Tx, id: string): Promise<Versioned<Template>> {
  const template = await findTemplate(tx, id)
  if (template === undefined) throw new DomainError('not_found', 'There is no such template.')
  return template
}

function assertSameApplication(before: Template, input: TemplateInput): void {
  if (before.app_id === input.app_id) return
  throw new DomainError('app_id_immutable', 'The application of a template cannot be changed.', {
    errors: [{ pointer: '/app_id', detail: 'cannot be changed' }],
  })
}

/** @throws DomainError `not_found`, `precondition_failed`, `app_id_immutable`, `invalid_request`, `forbidden`, `name_taken` */
export function replaceTemplate(
  sql: Sql,
  { id, input, actor, precondition }: Save & { precondition: Precondition },
) {
  const work = transaction(sql, async (tx) => {
    await tx`select from templates where id = ${id} for update`
    const before = await getTemplate(tx, id)
    assertVersion(precondition, before.version)
    assertSameApplication(before.resource, input)
    await assertReferences(tx, input)
    await assertMayOffer(tx, input, actor, before.resource.trigger_task_id)
    await tx`update templates set ${tx(asRow(tx, input, before.resource.custom_fields))},
      version = version + 1, updated_at = clock_timestamp() where id = ${id}`
    const after = await getTemplate(tx, id)
    await appendAudit(tx, edited('template.updated', actor, before.resource, after.resource))
    return after
  })
  return refusingTaken(uniqueFields, work)
}

/** Closed requests keep all their data. @throws DomainError `not_found`, `precondition_failed`, `template_in_use` */
export function deleteTemplate(
  sql: Sql,
  { id, actor, precondition }: Omit<Save, 'input'> & { precondition: Precondition },
) {
  return transaction(sql, async (tx) => {
    await tx`select from templates where id = ${id} for update`
    const before = await getTemplate(tx, id)
    assertVersion(precondition, before.version)
    const { open } = await getRow<{ open: number }>(tx`
      select count(*)::int as open from access_requests
      where template_id = ${id} and status in ('pending', 'approved')`)
    if (open > 0) {
      throw new DomainError(
        'template_in_use',
        `${open} pending or approved request(s) still use this template.`,
      )
    }
    await tx`delete from templates where id = ${id}`
    await appendAudit(tx, whole('template.deleted', actor, before.resource))
  })
}
