import { workflowInfo } from '@temporalio/workflow'

import { core, runScheduled } from './activities.ts'
import { concludeRun, runWithRetries } from './attempts.ts'
import { forgivenLosses } from './contract.ts'
import type { ScheduledTaskInput } from './contract.ts'

/** When the schedule meant this to happen; started by hand: now. */
function readScheduledTime(): Date {
  const { searchAttributes, startTime } = workflowInfo()
  const [at] = searchAttributes.TemporalScheduledStartTime ?? []
  return at instanceof Date ? at : startTime
}

/** One firing of a script task's schedule. Fails when the last attempt failed, so that operators find it. */
export async function scheduledTask({ task_id }: ScheduledTaskInput): Promise<string> {
  const firing = { task_id, firing_id: workflowInfo().runId, scheduled_at: readScheduledTime().toISOString() }
  const plan = await core.planScheduled({ task_id })
  if (plan === null) return 'nothing to run: the task is gone, disabled or no longer on a schedule'
  const last = await runWithRetries(
    plan,
    {
      run: (attempt, summary) => runScheduled({ ...firing, attempt }, summary, plan.timeout_seconds),
      closeLost: (attempt) => core.closeLostScheduled({ ...firing, attempt }),
    },
    forgivenLosses,
  )
  return concludeRun(plan, last)
}
