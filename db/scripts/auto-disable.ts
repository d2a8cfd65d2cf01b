import { appendAudit, nobody } from '../audit.ts'
import { findRow, rows, transaction } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import { announceSchedule } from './schedules.ts'

/** A task is disabled that has failed so often without a success, over at least this time. */
export const failingRuns = 20
export const failingMinutes = 10

/** Far more than can run in that time. */
const lookedAt = 5_000

type Failing = { id: string; name: string; version: number; failures: number; mins: number }
export type DisabledTask = Pick<Failing, 'id' | 'name'> & { reason: string }

/**
 * Enabled tasks whose latest version does nothing but fail. Runs by hand do not count (somebody is looking), nor do
 * those that never got as far as the script, nor do the requests of one person alone: who makes a script fail on
 * purpose must not keep it from telling of others. One that an approval may wait for is never among them: disabling it
 * would stop every approval.
 */
const failing = (db: Db) => db`
  select t.id, t.name, t.version, f.failures, f.mins
  from script_tasks t join script_task_versions v on v.task_id = t.id and v.version = t.version
  cross join lateral (
    select count(*)::int as failures,
      count(distinct r.requester_id) + count(*) filter (where r.id is null) as causes,
      extract(epoch from max(s.started_at) - min(s.started_at))::int / 60 as mins
    from (
      select recent.*, max(started_at) filter (where status = 'succeeded') over () as succeeded_at
      from (select version, status, trigger, ended_by, started_at, request_id from script_runs
            where task_id = t.id order by id desc limit ${lookedAt}) recent
      where version = t.version
    ) s left join access_requests r on r.id = s.request_id
    where s.status = 'failed' and s.trigger not in ('run', 'test')
      and s.ended_by not in ('cancelled', 'disabled', 'saturated')
      and s.started_at > coalesce(s.succeeded_at, '-infinity')
  ) f
  where (v.definition -> 'enabled')::boolean and f.failures >= ${failingRuns} and f.mins >= ${failingMinutes} and f.causes > 1
    and not exists (select from templates where trigger_task_id = t.id and trigger_task_failure_mode = 'block')
    and not exists (select from access_requests where trigger_task_id = t.id and status = 'pending'
                    and trigger_task_failure_mode = 'block')`

/** A new version, equal but for `enabled`, that nobody has made. */
async function disable(tx: Tx, { id, version }: Failing, reason: string): Promise<void> {
  await tx`
    insert into script_task_versions (task_id, version, definition, code, node_version)
    select task_id, version + 1, definition || '{"enabled": false}', code, node_version
    from script_task_versions where task_id = ${id} and version = ${version}`
  await tx`update script_tasks set version = version + 1, disabled_reason = ${reason}, updated_at = clock_timestamp()
    where id = ${id}`
}

/** Looks again once it holds the task: an admin may have mended it meanwhile. */
function disableIfFailing(sql: Sql, id: string): Promise<DisabledTask | undefined> {
  return transaction(sql, async (tx) => {
    await tx`select from script_tasks where id = ${id} for update`
    const task = await findRow<Failing>(tx`${failing(tx)} and t.id = ${id}`)
    if (task === undefined) return undefined
    const { name, version, failures, mins } = task
    const reason = `${failures} runs of version ${version} failed in a row, over ${mins} minutes`
    await disable(tx, task, reason)
    await appendAudit(tx, {
      kind: 'script_task.disabled',
      actor: nobody,
      object_type: 'script_task',
      object_id: id,
      detail: { name, version: version + 1, reason },
    })
    await announceSchedule(tx, id)
    return { id, name, reason }
  })
}

/** Disables every task that keeps failing, with an audit event that says why. Returns them. */
export async function disableFailing(sql: Sql): Promise<DisabledTask[]> {
  const found = await rows<Failing>(sql`${failing(sql)}`)
  const disabled = []
  for (const { id } of found) disabled.push(await disableIfFailing(sql, id))
  return disabled.filter((task) => task !== undefined)
}
