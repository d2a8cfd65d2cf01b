import { DomainError } from '../../domain/errors.ts'
import type { ScriptTask, ScriptTaskInput } from '../../domain/script-task.ts'
import { appendAudit } from '../audit.ts'
import type { Actor, Json } from '../audit.ts'
import { findRow, rows, transaction } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'
import { refusingTaken } from '../taken.ts'
import type { Versioned } from '../templates.ts'
import { assertVersion } from '../versions.ts'
import type { Precondition } from '../versions.ts'
import { assertMayLoosen } from './guards.ts'
import { announceSchedule } from './schedules.ts'

type Row = {
  id: string
  version: number
  definition: ScriptTaskInput
  disabled_reason: string | null
  created_at: string
  updated_at: string
}

const select = (db: Db) => db`
  select t.id, t.version, v.definition, t.disabled_reason, t.created_at, t.updated_at
  from script_tasks t join script_task_versions v on v.task_id = t.id and v.version = t.version`

const asTask = ({ definition, ...row }: Row) => ({ ...row, ...definition }) as ScriptTask

const missing = () => new DomainError('not_found', 'There is no such script task.')

export async function findTask(db: Db, id: string): Promise<Versioned<ScriptTask> | undefined> {
  const row = await findRow<Row>(db`${select(db)} where t.id = ${id}`)
  return row && { resource: asTask(row), version: row.version }
}

async function getTask(tx: Tx, id: string): Promise<Versioned<ScriptTask>> {
  const task = await findTask(tx, id)
  if (task === undefined) throw missing()
  return task
}

export async function listTasks(db: Db, page: PageRequest): Promise<Page<ScriptTask>> {
  const found = await rows<Row>(db`
    ${select(db)} where ${page.after}::uuid is null or t.id > ${page.after} order by t.id limit ${page.limit + 1}`)
  return toPage('scheduled-tasks', page, found.map(asTask))
}

type Save = { id: string; input: ScriptTaskInput; code: string; actor: Actor }

/** What a version keeps: what the admin sent, what is run, and the Node version that made the one of the other. */
async function insertVersion(tx: Tx, { id, input, code, actor }: Save, version: number): Promise<void> {
  await tx`insert into script_task_versions ${tx({
    task_id: id,
    version,
    definition: tx.json(input) as never,
    code,
    node_version: process.versions.node,
    created_by: actor.id,
  })}`
}

const saved = (kind: string, { id, input, actor }: Save, version: number) => {
  const { script: _, ...settings } = input
  return {
    kind,
    actor,
    object_type: 'script_task',
    object_id: id,
    detail: { ...settings, version } as Record<string, Json>,
  }
}

const uniqueFields = { script_tasks_name: 'name' }

/** The same id twice is the same creation. @throws DomainError `name_taken` */
export function createTask(sql: Sql, save: Save): Promise<Versioned<ScriptTask>> {
  const work = transaction(sql, async (tx) => {
    const inserted = await rows(tx`
      insert into script_tasks (id, name) values (${save.id}, ${save.input.name})
      on conflict (id) do nothing returning id`)
    if (inserted.length > 0) {
      await insertVersion(tx, save, 1)
      await appendAudit(tx, saved('script_task.created', save, 1))
      await announceSchedule(tx, save.id)
    }
    return getTask(tx, save.id)
  })
  return refusingTaken(uniqueFields, work)
}

/** @throws DomainError `not_found`, `precondition_failed`, `forbidden`, `name_taken` */
export function replaceTask(
  sql: Sql,
  save: Save & { precondition: Precondition },
): Promise<Versioned<ScriptTask>> {
  const work = transaction(sql, async (tx) => {
    await tx`select from script_tasks where id = ${save.id} for update`
    const { version } = await getTask(tx, save.id)
    assertVersion(save.precondition, version)
    await assertMayLoosen(tx, save.actor, [save.id])
    await insertVersion(tx, save, version + 1)
    await tx`update script_tasks set name = ${save.input.name}, version = ${version + 1},
      disabled_reason = null, updated_at = clock_timestamp() where id = ${save.id}`
    await appendAudit(tx, saved('script_task.updated', save, version + 1))
    await announceSchedule(tx, save.id)
    return getTask(tx, save.id)
  })
  return refusingTaken(uniqueFields, work)
}

async function assertUnused(tx: Tx, id: string): Promise<void> {
  const user = await findRow<{ name: string }>(tx`
    select name from templates where trigger_task_id = ${id}
    union all
    select 'an open request of ' || template_name from access_requests
    where trigger_task_id = ${id} and status in ('pending', 'approved')
    union all
    select 'an event that has not been told yet' from outbox_events o join access_requests r on r.id = o.request_id
    where r.trigger_task_id = ${id} and o.dispatched_at is null
    limit 1`)
  if (user) throw new DomainError('in_use', `The script task is in use: ${user.name}.`)
}

/** Its runs stay. @throws DomainError `not_found`, `precondition_failed`, `in_use` */
export function deleteTask(
  sql: Sql,
  { id, actor, precondition }: { id: string; actor: Actor; precondition: Precondition },
) {
  return transaction(sql, async (tx) => {
    await tx`select from script_tasks where id = ${id} for update`
    const { resource, version } = await getTask(tx, id)
    assertVersion(precondition, version)
    await assertUnused(tx, id)
    await tx`delete from script_tasks where id = ${id}`
    await announceSchedule(tx, id)
    const detail = { name: resource.name }
    await appendAudit(tx, {
      kind: 'script_task.deleted',
      actor,
      object_type: 'script_task',
      object_id: id,
      detail,
    })
  })
}

/** What is needed to run a task now: its latest version. */
export type RunnableTask = {
  id: string
  name: string
  version: number
  code: string
  definition: ScriptTaskInput
}

export function findRunnable(db: Db, id: string): Promise<RunnableTask | undefined> {
  return findRow<RunnableTask>(db`
    select t.id, t.name, t.version, v.code, v.definition
    from script_tasks t join script_task_versions v on v.task_id = t.id and v.version = t.version where t.id = ${id}`)
}
