import { cancellationSignal } from '@temporalio/activity'

import { getRow } from '../db/client.ts'
import type { Sql } from '../db/client.ts'
import { findCommand } from '../db/requests/commands.ts'
import type { CommandRow } from '../db/requests/commands.ts'
import { readTriggerConfig } from '../db/scripts/facts.ts'
import { findRunnable } from '../db/scripts/tasks.ts'
import { findTrigger } from '../db/scripts/triggers.ts'
import type { Trigger } from '../db/scripts/triggers.ts'
import { DomainError } from '../domain/errors.ts'
import type { RunOutcome, RunPlan } from '../workflows/contract.ts'
import { beating, closeLost, planOf, runAttempt } from './attempts.ts'
import type { Attempt } from './attempts.ts'
import { refusing } from './refusal.ts'
import { runTask } from './run-task.ts'
import type { Runner } from './run-task.ts'

type Key = { event_id: string; attempt: number }

type BlockCommand = CommandRow & { run_id: string; request_id: string }

/** Script runs: a block script inside an approval, a trigger task beside a request. */
export function createScriptActivities(sql: Sql, runner: Runner) {
  async function getTrigger(event_id: string): Promise<Trigger> {
    const trigger = await findTrigger(sql, event_id)
    if (trigger === undefined) throw new DomainError('not_found', 'There is nothing to run for this event.')
    return trigger
  }

  async function planTrigger({ event_id }: { event_id: string }): Promise<RunPlan> {
    const trigger = await findTrigger(sql, event_id)
    if (trigger === undefined) return null
    const task = await findRunnable(sql, trigger.task_id)
    return trigger.failure_mode === 'retry' ? planOf(task) : planOf(task, 1)
  }

  const attemptOf = ({ task_id, event, request_id, event_id }: Trigger, attempt: number): Attempt => ({
    task_id,
    trigger: event,
    request_id,
    event_id,
    attempt,
  })

  async function runTriggerScript({ event_id, attempt }: Key): Promise<RunOutcome> {
    const trigger = await getTrigger(event_id)
    const config = await readTriggerConfig(sql, trigger.request_id, trigger.event)
    return runAttempt(sql, runner, attemptOf(trigger, attempt), { config })
  }

  async function closeLostRun({ event_id, attempt }: Key): Promise<RunOutcome> {
    return closeLost(sql, attemptOf(await getTrigger(event_id), attempt))
  }

  async function getBlockCommand(command_id: string): Promise<BlockCommand | undefined> {
    const command = await findCommand(sql, command_id)
    if (command?.state !== 'queued' || command.run_id === null) return undefined
    return { ...command, run_id: command.run_id }
  }

  async function findBlockTask(request_id: string) {
    const { trigger_task_id } = await getRow<{ trigger_task_id: string }>(
      sql`select trigger_task_id from access_requests where id = ${request_id}`,
    )
    return findRunnable(sql, trigger_task_id)
  }

  /** By the database's clock: the 30 seconds began when the approval was written down. */
  async function remainingMs(command_id: string, timeout_seconds: number): Promise<number> {
    const { left } = await getRow<{ left: number }>(sql`
      select (extract(epoch from run_deadline - clock_timestamp()) * 1000)::float8 as left
      from commands where id = ${command_id}`)
    return Math.min(left, timeout_seconds * 1_000)
  }

  /** Aborts once the request is no longer pending: also when the engine cannot say so. */
  function watchRequest(request_id: string) {
    const stop = new AbortController()
    const look = async () => {
      const row = await getRow<{ status: string }>(
        sql`select status from access_requests where id = ${request_id}`,
      )
      if (row.status !== 'pending') stop.abort()
    }
    return { signal: stop.signal, look: () => void look().catch(() => undefined) }
  }

  async function runBlockScript({ command_id }: { command_id: string }): Promise<void> {
    const command = await getBlockCommand(command_id)
    if (command === undefined) return
    const { request_id, run_id: id, kind, actor_id, comment } = command
    const task = await findBlockTask(request_id)
    if (task === undefined) return
    const watch = watchRequest(request_id)
    const decided_by = kind === 'auto_approve' ? 'auto' : (actor_id ?? '')
    const config = await readTriggerConfig(sql, request_id, 'approved', { decided_by, comment })
    const deadline_ms = await remainingMs(command_id, task.definition.timeout_seconds)
    const signal = AbortSignal.any([cancellationSignal(), watch.signal])
    const run = {
      id,
      task,
      trigger: 'approved',
      request_id,
      config,
      deadline_ms,
      lane: 'block' as const,
      signal,
    }
    await beating(runTask(sql, runner, run), watch.look)
  }

  return {
    planTrigger: refusing(planTrigger),
    runTriggerScript: refusing(runTriggerScript),
    closeLostRun: refusing(closeLostRun),
    runBlockScript: refusing(runBlockScript),
  }
}
