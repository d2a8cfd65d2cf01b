import type { Sql } from '../db/client.ts'
import { saveRecording } from '../db/scripts/recordings.ts'
import { beginRun, endRun, refusedRun } from '../db/scripts/runs.ts'
import { listSecretNames } from '../db/scripts/secrets.ts'
import type { NewRun, RunEnd } from '../db/scripts/runs.ts'
import type { RunnableTask } from '../db/scripts/tasks.ts'
import type { Sealer } from '../db/sealing.ts'
import type { Sandbox } from '../sandbox/run-script.ts'
import { createOutward } from './host-calls/outward.ts'
import type { Outward } from './host-calls/outward.ts'

/** What runs scripts, and what their outward calls need. */
export type Runner = { sandbox: Sandbox; sealer: Sealer; allow_private_egress: boolean }

export type TaskRun = Omit<NewRun, 'task'> & {
  task: RunnableTask
  config: Record<string, string>
  /** Wall time from now, queueing included unless there is patience for it; 0 or less: it is over before it began. */
  deadline_ms: number
  /** How long it may wait for a place. */
  patience_ms?: number
  lane: 'block' | 'ordinary'
  signal: AbortSignal
}

/** All that the script is told. */
const configOf = ({ task, config }: TaskRun) => ({ ...task.definition.config, ...config })

async function execute(sandbox: Sandbox, run: TaskRun, outward: Outward): Promise<RunEnd> {
  const { task, deadline_ms, patience_ms, lane, signal } = run
  if (!task.definition.enabled) return refusedRun('disabled', 'the script task is disabled')
  if (deadline_ms <= 0) return refusedRun('wall', 'no time was left when its turn came')
  const { code, name } = task
  const filename = `${name}.ts`
  const end = await sandbox.run({
    code,
    filename,
    config: configOf(run),
    secrets: outward.secrets,
    handlers: outward.handlers,
    deadline_ms,
    patience_ms,
    lane,
    signal,
  })
  return outward.conclude(end)
}

/**
 * The same for every attempt at telling a task of one event, so that a service does a thing once. A task that is told
 * of it twice, as the template's trigger task and because it is bound, means two things.
 */
const idempotencyKeyOf = ({ event_id, task, trigger }: TaskRun, id: string) =>
  event_id === undefined ? id : `${event_id}-${task.id}-${trigger}`

/** Runs a script once and keeps the run, whatever becomes of it. Null: this very run has begun before. */
export async function runTask(
  sql: Sql,
  { sandbox, sealer, allow_private_egress }: Runner,
  run: TaskRun,
): Promise<{ id: string; end: RunEnd } | null> {
  const secret_names = await listSecretNames(sql)
  const began = await beginRun(sql, run)
  if (began === undefined) return null
  const outward = createOutward(sql, {
    sealer,
    allow_private_egress,
    secret_names,
    egress_hosts: run.task.definition.egress_hosts,
    request_id: run.request_id,
    idempotency_key: idempotencyKeyOf(run, began.id),
  })
  const end = await execute(sandbox, run, outward)
  await saveRecording(sql, began.id, outward.recording(configOf(run)))
  await endRun(sql, began.id, end)
  return { id: began.id, end }
}
