import { findRow } from '../client.ts'
import type { Db } from '../client.ts'

/** A host call as it was asked and answered, secrets by name. Neither value nor error: the run ended before. */
export type RecordedCall = {
  operation: string
  /** Calls with the same key ask for the same. */
  key: string
  /** How a person sees the call: without query and body. */
  shown: string
  value?: unknown
  error?: string
  /** The answer was too large to be kept. */
  is_dropped?: true
}

export type Recording = { config: Record<string, string>; calls: RecordedCall[] }

const maxConfigBytes = 524_288

/** Nothing is kept where the run was told more than a recording may hold. */
export async function saveRecording(db: Db, run_id: string, recording: Recording): Promise<void> {
  if (Buffer.byteLength(JSON.stringify(recording.config)) > maxConfigBytes) return
  await db`insert into script_run_recordings (run_id, recording) values (${run_id}, ${JSON.stringify(recording)})
    on conflict do nothing`
}

/** Undefined: the task has had no such run; null: the run has no recording. */
export async function findRecording(
  db: Db,
  { task_id, run_id }: { task_id: string; run_id: string },
): Promise<Recording | null | undefined> {
  const row = await findRow<{ recording: string | null }>(db`
    select p.recording from script_runs s left join script_run_recordings p on p.run_id = s.id
    where s.id = ${run_id} and s.task_id = ${task_id} and s.status <> 'running'`)
  return row?.recording ? (JSON.parse(row.recording) as Recording) : row && null
}
