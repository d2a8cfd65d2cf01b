import { findRow, rows } from '../client.ts'
import type { Db } from '../client.ts'

/** A script task that is to run by itself. */
export type TaskSchedule = { task_id: string; name: string; is_enabled: boolean } & (
  | { schedule_type: 'interval'; interval_seconds: number }
  | { schedule_type: 'cron'; cron_expression: string; timezone: string | null }
)

/** Told the id of a task whose schedule may have changed. */
export const scheduleChannel = 'hallpass_schedules'

const select = (db: Db) => db`
  select t.id as task_id, t.name, (v.definition -> 'enabled')::boolean as is_enabled,
    v.definition ->> 'schedule_type' as schedule_type, (v.definition ->> 'interval_seconds')::int as interval_seconds,
    v.definition ->> 'cron_expression' as cron_expression, v.definition ->> 'timezone' as timezone
  from script_tasks t join script_task_versions v on v.task_id = t.id and v.version = t.version
  where v.definition ->> 'schedule_type' in ('interval', 'cron')`

export function listSchedules(db: Db): Promise<TaskSchedule[]> {
  return rows<TaskSchedule>(db`${select(db)} order by t.id`)
}

/** Undefined: the task is gone, or runs only when it is fired. */
export function findSchedule(db: Db, task_id: string): Promise<TaskSchedule | undefined> {
  return findRow<TaskSchedule>(db`${select(db)} and t.id = ${task_id}`)
}

/** Belongs to the change's own transaction: whoever keeps the schedules looks again once it is committed. */
export async function announceSchedule(db: Db, task_id: string): Promise<void> {
  await db`select pg_notify(${scheduleChannel}, ${task_id})`
}
