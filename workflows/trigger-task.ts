import { core, runScript } from './activities.ts'
import { concludeRun, runWithRetries } from './attempts.ts'
import type { TriggerTaskInput } from './contract.ts'

/**
 * A template's trigger task, told of one event of one request, beside the request: however it ends, the request is not
 * changed. Fails when the last attempt failed, so that operators find it.
 */
export async function triggerTask({ event_id }: TriggerTaskInput): Promise<string> {
  const plan = await core.planTrigger({ event_id })
  if (plan === null) return 'nothing to run: the trigger task is gone or disabled'
  const last = await runWithRetries(plan, {
    run: (attempt, summary) => runScript({ event_id, attempt }, summary, plan.timeout_seconds),
    closeLost: (attempt) => core.closeLostRun({ event_id, attempt }),
  })
  return concludeRun(plan, last)
}
