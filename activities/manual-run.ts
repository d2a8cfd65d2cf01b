import type { Sql } from '../db/client.ts'
import type { Caller } from '../db/directory/caller.ts'
import { findRequest, maySee } from '../db/requests/find.ts'
import { readTriggerConfig } from '../db/scripts/facts.ts'
import { readScheduledConfig } from '../db/scripts/grants.ts'
import { getRun } from '../db/scripts/runs.ts'
import { findRunnable } from '../db/scripts/tasks.ts'
import type { RunnableTask } from '../db/scripts/tasks.ts'
import { DomainError } from '../domain/errors.ts'
import { triggerEvents } from '../domain/lifecycle.ts'
import type { Run } from '../domain/script-task.ts'
import { runTask } from './run-task.ts'
import type { Runner } from './run-task.ts'

export type ManualRun = {
  run_id: string
  task_id: string
  event: Record<string, string>
  request_id: string | undefined
  actor: Caller
}

/** A task that has a schedule is told what its schedule would tell it now. */
async function readConfig(
  sql: Sql,
  { request_id, event }: ManualRun,
  { definition }: RunnableTask,
): Promise<Record<string, string>> {
  if (request_id === undefined) {
    const isScheduled = definition.schedule_type !== 'once'
    return { ...(isScheduled && (await readScheduledConfig(sql, new Date().toISOString()))), ...event }
  }
  const name = triggerEvents.find((known) => known === event.trigger_event) ?? 'created'
  return { ...(await readTriggerConfig(sql, request_id, name)), ...event }
}

type OnRequest = { request_id?: string | undefined; actor: Caller }

/** Who manages scripts may try them on the requests that they may see. @throws DomainError `invalid_request` */
export async function assertRequest(sql: Sql, { request_id, actor }: OnRequest): Promise<void> {
  if (request_id === undefined) return
  const request = await findRequest(sql, request_id)
  if (request && (await maySee(sql, request, actor))) return
  throw new DomainError('invalid_request', 'There is no such request.', {
    errors: [{ pointer: '/request_id', detail: 'does not exist' }],
  })
}

/** Runs a task by hand and waits for it. The same run id twice is the same run. */
export async function runByHand(sql: Sql, runner: Runner, run: ManualRun): Promise<Run> {
  const { run_id: id, task_id, request_id } = run
  await assertRequest(sql, run)
  const task = await findRunnable(sql, task_id)
  if (task === undefined) throw new DomainError('not_found', 'There is no such script task.')
  const config = await readConfig(sql, run, task)
  const deadline_ms = task.definition.timeout_seconds * 1_000
  const signal = AbortSignal.timeout(deadline_ms + 10_000)
  await runTask(sql, runner, {
    id,
    task,
    trigger: 'run',
    request_id,
    config,
    deadline_ms,
    lane: 'ordinary',
    signal,
  })
  return getRun(sql, id)
}
