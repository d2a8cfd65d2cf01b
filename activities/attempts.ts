import { cancellationSignal, heartbeat } from '@temporalio/activity'

import type { Sql } from '../db/client.ts'
import { beginRun, endRun, findAttempt, lostRun } from '../db/scripts/runs.ts'
import { findRunnable } from '../db/scripts/tasks.ts'
import type { RunnableTask } from '../db/scripts/tasks.ts'
import { DomainError } from '../domain/errors.ts'
import { patienceSeconds } from '../domain/patience.ts'
import type { RunOutcome, RunPlan } from '../workflows/contract.ts'
import { runTask } from './run-task.ts'
import type { Runner } from './run-task.ts'

/** What makes an attempt of a script this one and no other, and what its run is written down with. */
export type Attempt = {
  task_id: string
  trigger: string
  request_id?: string
  /** What fired it: an event, or one firing of a schedule. */
  event_id: string
  attempt: number
}

const heartbeatMs = 1_000

/** Tells the engine that the run is alive, and what else is given to do while it lasts. */
export async function beating<Result>(
  work: Promise<Result>,
  meanwhile: () => void = () => {},
): Promise<Result> {
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

async function getTask(sql: Sql, id: string): Promise<RunnableTask> {
  const task = await findRunnable(sql, id)
  if (task === undefined) throw new DomainError('not_found', 'The script task is gone.')
  return task
}

type Told = {
  config: Record<string, string>
  /** Where it was looked at before: what is run is what was found then. */
  task?: RunnableTask
}

/**
 * Runs a script once, beside everything else. An attempt that has begun before is not made again: its end is told.
 * @throws when the process stops before the script has ended: the attempt is lost, and that was not the script's doing
 */
export async function runAttempt(
  sql: Sql,
  runner: Runner,
  { task_id, ...attempt }: Attempt,
  { config, task: found }: Told,
): Promise<RunOutcome> {
  const task = found ?? (await getTask(sql, task_id))
  const deadline_ms = task.definition.timeout_seconds * 1_000
  const signal = cancellationSignal()
  const patience_ms = patienceSeconds * 1_000
  const run = { ...attempt, task, config, deadline_ms, patience_ms, lane: 'ordinary' as const, signal }
  const done = await beating(runTask(sql, runner, run))
  if (done?.end.ended_by === 'cancelled') throw new Error('the run was cancelled')
  return done ? outcomeOf(done.id, done.end) : closeLost(sql, { task_id, ...attempt })
}

/** For an attempt whose activity did not answer: its run may have ended all the same, or is lost. */
export async function closeLost(sql: Sql, attempt: Attempt): Promise<RunOutcome> {
  const found = await findAttempt(sql, attempt)
  if (found === undefined) return beginLost(sql, attempt)
  await endRun(sql, found.id, lostRun)
  const run = await findAttempt(sql, attempt)
  return outcomeOf(found.id, run ?? lostRun)
}

async function beginLost(sql: Sql, { task_id, ...attempt }: Attempt): Promise<RunOutcome> {
  const began = await beginRun(sql, { task: await getTask(sql, task_id), ...attempt })
  if (began === undefined) throw new Error('the attempt has begun meanwhile')
  await endRun(sql, began.id, lostRun)
  return outcomeOf(began.id, lostRun)
}

/** Null: there is nothing to run. */
export function planOf(task: RunnableTask | undefined, attempts?: number): RunPlan {
  if (!task?.definition.enabled) return null
  const { name: script, version, definition } = task
  const { timeout_seconds, max_retries } = definition
  return { script, version, attempts: attempts ?? 1 + max_retries, timeout_seconds }
}
