import { ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client'
import type { ScheduleOptions, ScheduleSummary } from '@temporalio/client'

import { findSchedule, listSchedules } from '../db/scripts/schedules.ts'
import type { TaskSchedule } from '../db/scripts/schedules.ts'
import type { Sql } from '../db/client.ts'
import { queues, taskSchedulePrefix, workflowTypes } from '../workflows/contract.ts'
import type { Engine } from './engine.ts'
import { isSpecOf, specOf } from './schedule-spec.ts'

const scheduleId = (task_id: string): string => `${taskSchedulePrefix}${task_id}`

/** What operators read, and by which a schedule that is not in line with the database is known. */
function noteOf(task: TaskSchedule): string {
  const when =
    task.schedule_type === 'interval'
      ? `every ${task.interval_seconds} s`
      : `${task.cron_expression} (${task.timezone ?? 'UTC'})`
  return `${task.name}: ${when}${task.is_enabled ? '' : '; the script task is disabled'}`
}

type Options = Omit<ScheduleOptions, 'scheduleId' | 'memo' | 'state'> & {
  state: { paused: boolean; note: string }
}

/** One that was missed while the engine was away is made up for within an hour. */
const optionsOf = ({ queue }: Engine, task: TaskSchedule): Options => ({
  spec: specOf(task),
  policies: { overlap: 'SKIP', catchupWindow: '1 hour', pauseOnFailure: false },
  state: { paused: !task.is_enabled, note: noteOf(task) },
  action: {
    type: 'startWorkflow',
    workflowType: workflowTypes.scheduledTask,
    workflowId: scheduleId(task.task_id),
    taskQueue: queues(queue).core,
    args: [{ task_id: task.task_id }],
    staticSummary: task.name,
  },
})

async function save(engine: Engine, task: TaskSchedule): Promise<void> {
  const options = optionsOf(engine, task)
  const { schedule } = engine.client
  try {
    await schedule.getHandle(scheduleId(task.task_id)).update(() => options)
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error
    await schedule
      .create({ ...options, scheduleId: scheduleId(task.task_id), memo: { queue: engine.queue } })
      .catch((reason: unknown) => {
        if (!(reason instanceof ScheduleAlreadyRunning)) throw reason
      })
  }
}

async function remove({ client }: Engine, task_id: string): Promise<void> {
  await client.schedule
    .getHandle(scheduleId(task_id))
    .delete()
    .catch((error: unknown) => {
      if (!(error instanceof ScheduleNotFoundError)) throw error
    })
}

/** Brings the schedule of one task in line with the database: made, changed, paused or deleted. */
export async function syncSchedule(sql: Sql, engine: Engine, task_id: string): Promise<void> {
  const task = await findSchedule(sql, task_id)
  await engine.client.connection.withAbortSignal(AbortSignal.timeout(5_000), () =>
    task ? save(engine, task) : remove(engine, task_id),
  )
}

const isInLine = (task: TaskSchedule, found: ScheduleSummary | undefined): boolean =>
  found?.state.note === noteOf(task) &&
  found.state.paused === !task.is_enabled &&
  found.action?.workflowType === workflowTypes.scheduledTask &&
  found.spec !== undefined &&
  isSpecOf(task, found.spec)

/** Those of this installation: others may share the namespace. */
async function listFound({ client, queue }: Engine): Promise<Map<string, ScheduleSummary>> {
  const found = new Map<string, ScheduleSummary>()
  for await (const summary of client.schedule.list()) {
    const { scheduleId: id, memo } = summary
    if (id.startsWith(taskSchedulePrefix) && memo?.queue === queue)
      found.set(id.slice(taskSchedulePrefix.length), summary)
  }
  return found
}

/**
 * Brings all schedules of script tasks in line with the database, which is the record: also those that somebody has
 * paused, changed or deleted elsewhere. One that cannot be kept does not keep the others. Returns the tasks' ids.
 * @throws when a schedule could not be brought in line
 */
export async function reconcileSchedules(sql: Sql, engine: Engine): Promise<string[]> {
  const found = await engine.client.connection.withAbortSignal(AbortSignal.timeout(20_000), () =>
    listFound(engine),
  )
  const wanted = await listSchedules(sql)
  const known = new Set(wanted.map(({ task_id }) => task_id))
  const astray = [
    ...wanted.filter((task) => !isInLine(task, found.get(task.task_id))).map(({ task_id }) => task_id),
    ...[...found.keys()].filter((task_id) => !known.has(task_id)),
  ]
  const results = await Promise.allSettled(astray.map((task_id) => syncSchedule(sql, engine, task_id)))
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  )
  if (failures.length > 0) throw new AggregateError(failures, 'schedules of script tasks are not in line')
  return astray
}
