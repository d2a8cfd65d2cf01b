import { randomUUIDv7 } from 'node:crypto'
import { readFile } from 'node:fs/promises'

import { appendAudit, nobody } from '../db/audit.ts'
import { getRow, transaction } from '../db/client.ts'
import type { Sql, Tx } from '../db/client.ts'
import { createTask } from '../db/scripts/tasks.ts'
import { ScriptTaskInput } from '../domain/script-task.ts'

const people = [
  ['admin@example.com', 'Admin', 'admins'],
  ['alice@example.com', 'Alice', 'engineering'],
  ['bob@example.com', 'Bob', 'dba-team'],
  ['dana@example.com', 'Dana', 'dba-team'],
  ['carol@example.com', 'Carol', 'engineering-managers'],
] as const

const loggerName = 'access_request_event_logger'

type Ids = Record<string, string>

async function insertGroups(tx: Tx): Promise<Ids> {
  const names = [...new Set(people.map(([, , group]) => group))]
  const entries = names.map((name) => ({
    id: randomUUIDv7(),
    name,
    permissions: name === 'admins' ? ['access_requests.manage'] : [],
  }))
  for (const entry of entries) await tx`insert into groups ${tx(entry)}`
  return Object.fromEntries(entries.map(({ id, name }) => [name, id]))
}

async function insertPeople(tx: Tx, groups: Ids): Promise<void> {
  for (const [email, display_name, group] of people) {
    const id = randomUUIDv7()
    await tx`insert into identities ${tx({ id, kind: 'human', email, display_name })}`
    await tx`insert into memberships ${tx({ group_id: groups[group] ?? '', identity_id: id })}`
  }
  await tx`insert into identities (id, kind, email, display_name, owner_id, purpose, privilege_class,
      rotation_days)
    select ${randomUUIDv7()}, 'service_account', 'ci-bot', 'CI bot', id, 'Runs the builds', 'low', 90
    from identities where email = 'alice@example.com'`
}

async function insertApplication(tx: Tx): Promise<{ app_id: string; readonly_id: string }> {
  const [app_id, readonly_id] = [randomUUIDv7(), randomUUIDv7()]
  await tx`insert into applications ${tx({ id: app_id, name: 'Internal DB', slug: 'internal-db' })}`
  const mapping = (id: string, value: string, privilege_level: string) =>
    tx`insert into app_mappings ${tx({ id, app_id, name: value, claim: 'roles', value, privilege_level })}`
  await mapping(readonly_id, 'db-readonly', 'medium')
  await mapping(randomUUIDv7(), 'db-admin', 'critical')
  return { app_id, readonly_id }
}

async function insertTemplate(tx: Tx, groups: Ids, task_id: string): Promise<void> {
  const { app_id, readonly_id } = await insertApplication(tx)
  await tx`insert into templates ${tx({
    id: randomUUIDv7(),
    name: 'Database read-only access',
    description: 'Read-only access to the internal database, for up to 8 hours.',
    app_id,
    mapping_ids: [readonly_id],
    allowed_durations: [60, 240, 480],
    approver_group_ids: [groups['dba-team'] ?? ''],
    escalation_after_mins: 30,
    escalation_group_id: groups['engineering-managers'] ?? '',
    trigger_task_id: task_id,
  })}`
}

const isEmpty = async (sql: Sql): Promise<boolean> =>
  (
    await getRow<{ empty: boolean }>(
      sql`select not exists (select from templates) and not exists (select from identities) as empty`,
    )
  ).empty

/** Fills a new database with the people, groups, application, script and template of the README. */
export async function loadDemoOrganisation(
  sql: Sql,
  compile: (source: string) => Promise<{ code: string }>,
): Promise<boolean> {
  if (!(await isEmpty(sql))) return false
  const script = await readFile(new URL(`../scripts/${loggerName}.ts`, import.meta.url), 'utf8')
  const { code } = await compile(script)
  const task = ScriptTaskInput.parse({ name: loggerName, script })
  const task_id = await findOrCreateLogger(sql, task, code)
  await transaction(sql, async (tx) => {
    const groups = await insertGroups(tx)
    await insertPeople(tx, groups)
    await insertTemplate(tx, groups, task_id)
    await appendAudit(tx, { kind: 'demo_organisation.loaded', actor: nobody })
  })
  return true
}

/** An earlier start may have been ended right after this step. */
async function findOrCreateLogger(sql: Sql, input: ScriptTaskInput, code: string): Promise<string> {
  const [known] = await sql<{ id: string }[]>`select id from script_tasks where name = ${loggerName}`
  if (known) return known.id
  return (await createTask(sql, { id: randomUUIDv7(), input, code, actor: nobody })).resource.id
}
