import { cancellationSignal, heartbeat } from '@temporalio/activity'

import { getRow } from '../db/client.ts'
import type { Sql } from '../db/client.ts'
import { findCommand } from '../db/requests/commands.ts'
import type { CommandRow } from '../db/requests/commands.ts'
import { readTriggerConfig } from '../db/scripts/facts.ts'
import { beginRun, endRun, findAttempt, lostRun } from '../db/scripts/runs.ts'
import { findRunnable } from '../db/scripts/tasks.ts'
import { findTrigger } from '../db/scripts/triggers.ts'
import type { Trigger } from '../db/scripts/triggers.ts'
import { DomainError } from '../domain/errors.ts'
import type { Sandbox } from '../sandbox/run-script.ts'
import type { RunOutcome, TriggerPlan } from '../workflows/contract.ts'
import { refusing } from './refusal.ts'
import { runTask } from './run-task.ts'

type Attempt = { event_id: string; attempt: number }

const heartbeatMs = 1_000

/** Tells the engine that the run is alive, and what else is given to do while it lasts. */
async function beating<Result>(work: Promise<Result>, meanwhile: () => void = () => {}): Promise<Result> {
  const timer = setInterval(() => {
    heartbeat()
    meanwhile()
  }, heartbeatMs)
  try {
    return await work
  } finally {
    clearInterval(timer)
  }
}

const outcomeOf = (
  id: string,
  { status, ended_by }: { status: string; ended_by: string | null },
): RunOutcome => ({
  run_id: id,
  status: status === 'succeeded' ? 'succeeded' : 'failed',
  ended_by: ended_by ?? 'crashed',
})

type BlockCommand = CommandRow & { run_id: string; request_id: string }

/** Script runs: a block script inside an approval, a trigger task beside a request. */
export function createScriptActivities(sql: Sql, sandbox: Sandbox) {
  async function getTrigger(event_id: string): Promise<Trigger> {
    const trigger = await findTrigger(sql, event_id)
    if (trigger === undefined) throw new DomainError('not_found', 'There is nothing to run for this event.')
    return trigger
  }

  const attemptsOf = ({ failure_mode }: Trigger, max_retries: number) =>
    failure_mode === 'retry' ? 1 + max_retries : 1

  async function planTrigger({ event_id }: { event_id: string }): Promise<TriggerPlan> {
    const trigger = await findTrigger(sql, event_id)
    const task = trigger && (await findRunnable(sql, trigger.task_id))
    if (trigger === undefined || !task?.definition.enabled) return null
    const { max_retries, timeout_seconds } = task.definition
    const { name: script, version } = task
    return { script, version, attempts: attemptsOf(trigger, max_retries), timeout_seconds }
  }

  async function runTriggerScript({ event_id, attempt }: Attempt): Promise<RunOutcome> {
    const trigger = await getTrigger(event_id)
    const task = await findRunnable(sql, trigger.task_id)
    if (task === undefined) throw new DomainError('not_found', 'The trigger task is gone.')
    const { event, request_id } = trigger
    const config = await readTriggerConfig(sql, request_id, event)
    const deadline_ms = task.definition.timeout_seconds * 1_000
    const signal = cancellationSignal()
    const run = runTask(sql, sandbox, {
      task,
      trigger: event,
      request_id,
      event_id,
      attempt,
      config,
      deadline_ms,
      lane: 'ordinary',
      signal,
    })
    const done = await beating(run)
    return done ? outcomeOf(done.id, done.end) : closeLostRun({ event_id, attempt })
  }

  /** For an attempt whose activity did not answer: its run may have ended all the same, or is lost. */
  async function closeLostRun({ event_id, attempt }: Attempt): Promise<RunOutcome> {
    const found = await findAttempt(sql, event_id, attempt)
    if (found === undefined) return beginLostRun({ event_id, attempt })
    await endRun(sql, found.id, lostRun)
    const run = await findAttempt(sql, event_id, attempt)
    return outcomeOf(found.id, run ?? lostRun)
  }

  async function beginLostRun({ event_id, attempt }: Attempt): Promise<RunOutcome> {
    const { event, request_id, task_id } = await getTrigger(event_id)
    const task = await findRunnable(sql, task_id)
    const began = task && (await beginRun(sql, { task, trigger: event, request_id, event_id, attempt }))
    if (began === undefined) throw new Error('the attempt has begun meanwhile')
    await endRun(sql, began.id, lostRun)
    return outcomeOf(began.id, lostRun)
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
    await beating(runTask(sql, sandbox, run), watch.look)
  }

  return {
    planTrigger: refusing(planTrigger),
    runTriggerScript: refusing(runTriggerScript),
    closeLostRun: refusing(closeLostRun),
    runBlockScript: refusing(runBlockScript),
  }
}
