import type { Sql } from '../db/client.ts'
import { readScheduledConfig } from '../db/scripts/grants.ts'
import { findRunnable } from '../db/scripts/tasks.ts'
import type { Firing, RunOutcome, RunPlan } from '../workflows/contract.ts'
import { closeLost, planOf, runAttempt } from './attempts.ts'
import type { Attempt } from './attempts.ts'
import { refusing } from './refusal.ts'
import type { Runner } from './run-task.ts'

type Key = Firing & { attempt: number }

const attemptOf = ({ task_id, firing_id, attempt }: Key): Attempt => ({
  task_id,
  trigger: 'schedule',
  event_id: firing_id,
  attempt,
})

/** Script tasks that a schedule fires. */
export function createScheduledActivities(sql: Sql, runner: Runner) {
  async function planScheduled({ task_id }: { task_id: string }): Promise<RunPlan> {
    const task = await findRunnable(sql, task_id)
    return task?.definition.schedule_type === 'once' ? null : planOf(task)
  }

  async function runScheduledScript(key: Key): Promise<RunOutcome> {
    const config = await readScheduledConfig(sql, key.scheduled_at)
    return runAttempt(sql, runner, attemptOf(key), { config })
  }

  return {
    planScheduled: refusing(planScheduled),
    runScheduledScript: refusing(runScheduledScript),
    closeLostScheduled: refusing((key: Key) => closeLost(sql, attemptOf(key))),
  }
}
