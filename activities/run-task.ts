import type { Sql } from '../db/client.ts'
import { beginRun, endRun, refusedRun } from '../db/scripts/runs.ts'
import type { NewRun, RunEnd } from '../db/scripts/runs.ts'
import type { RunnableTask } from '../db/scripts/tasks.ts'
import type { Sandbox } from '../sandbox/run-script.ts'

export type TaskRun = Omit<NewRun, 'task'> & {
  task: RunnableTask
  config: Record<string, string>
  /** Wall time from now, queueing included; 0 or less: it is over before it began. */
  deadline_ms: number
  lane: 'block' | 'ordinary'
  signal: AbortSignal
}

async function execute(sandbox: Sandbox, run: TaskRun): Promise<RunEnd> {
  const { task, config, deadline_ms, lane, signal } = run
  if (!task.definition.enabled) return refusedRun('disabled', 'the script task is disabled')
  if (deadline_ms <= 0) return refusedRun('wall', 'no time was left when its turn came')
  const { code, name, definition } = task
  const filename = `${name}.ts`
  return sandbox.run({
    code,
    filename,
    config: { ...definition.config, ...config },
    deadline_ms,
    lane,
    signal,
  })
}

/** Runs a script once and keeps the run, whatever becomes of it. Null: this very run has begun before. */
export async function runTask(
  sql: Sql,
  sandbox: Sandbox,
  run: TaskRun,
): Promise<{ id: string; end: RunEnd } | null> {
  const began = await beginRun(sql, run)
  if (began === undefined) return null
  const end = await execute(sandbox, run)
  await endRun(sql, began.id, end)
  return { id: began.id, end }
}
