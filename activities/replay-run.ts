import type { Actor } from '../db/audit.ts'
import type { Sql } from '../db/client.ts'
import { findRecording } from '../db/scripts/recordings.ts'
import type { RecordedCall, Recording } from '../db/scripts/recordings.ts'
import { getRun, storableEnd } from '../db/scripts/runs.ts'
import { listSecretNames } from '../db/scripts/secrets.ts'
import { auditTest } from '../db/scripts/tests.ts'
import { DomainError } from '../domain/errors.ts'
import type { Call } from '../domain/script-call.ts'
import type { TestedTask } from '../domain/script-test.ts'
import type { Run } from '../domain/script-task.ts'
import { conclude } from './host-calls/outward.ts'
import { createRecordedHandlers } from './host-calls/recorded.ts'
import { createRecorder } from './host-calls/recorder.ts'
import { createVault } from './host-calls/vault.ts'
import type { Runner } from './run-task.ts'
import { unkeptRun } from './test-run.ts'

/** `run_id` is the replay's own, `recorded_id` that of the run that is replayed. */
export type ReplayRun = {
  run_id: string
  recorded_id: string
  task: TestedTask & { id: string }
  actor: Actor
}

/** Two runs beside each other; `calls` are lines for a person. */
export type Replayed = { run: Run; recorded: Run; calls: { recorded: string[]; replayed: string[] } }

async function getRecording(sql: Sql, { task, recorded_id }: ReplayRun): Promise<Recording> {
  const recording = await findRecording(sql, { task_id: task.id, run_id: recorded_id })
  if (recording === undefined) throw new DomainError('not_found', 'The task has no such run that has ended.')
  if (recording !== null) return recording
  throw new DomainError('invalid_request', 'What this run was told and answered has not been kept.')
}

const outcomeOf = ({ error, value }: RecordedCall): string => {
  if (error !== undefined) return error
  const isResponse = typeof value === 'object' && value !== null && 'status' in value && 'body' in value
  return isResponse ? String(value.status) : 'answered'
}

const asLine = (call: RecordedCall): string => `${call.shown} → ${outcomeOf(call)}`

async function execute(sql: Sql, { sandbox, sealer }: Runner, replay: ReplayRun, recording: Recording) {
  const { task, run_id } = replay
  const calls: Call[] = []
  const vault = createVault(sql, sealer, await listSecretNames(sql))
  const recorded = createRecordedHandlers(recording.calls, { mask: vault.mask, calls })
  const recorder = createRecorder(recorded, vault.mask)
  const started_at = new Date().toISOString()
  const end = await sandbox.run({
    code: task.code,
    filename: `${task.name}.ts`,
    config: recording.config,
    secrets: vault.placeholders,
    handlers: recorder.handlers,
    deadline_ms: task.definition.timeout_seconds * 1_000,
  })
  const executed = { ...storableEnd(conclude(end, vault, calls)), duration_ms: end.duration_ms, started_at }
  const run = unkeptRun({ run_id, task }, { ...executed, request_id: undefined })
  return { run, lines: recorder.calls().map(asLine) }
}

/** Runs a task or a draft on what an earlier run was told, with the answers that it got; no call is made. */
export async function replayRun(sql: Sql, runner: Runner, replay: ReplayRun): Promise<Replayed> {
  const { task, actor, recorded_id } = replay
  const recording = await getRecording(sql, replay)
  const recorded = await getRun(sql, recorded_id)
  const detail = { name: task.name, version: task.version, replay_of: recorded_id }
  await auditTest(sql, { task_id: task.id, actor, detail })
  const { run, lines } = await execute(sql, runner, replay, recording)
  return {
    run: { ...run, trigger: 'replay', request_id: recorded.request_id, event_id: recorded.event_id },
    recorded,
    calls: { recorded: recording.calls.map(asLine), replayed: lines },
  }
}
