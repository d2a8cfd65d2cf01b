import { ActivityFailure, ApplicationFailure, setCurrentDetails, sleep } from '@temporalio/workflow'

import { core, runScript } from './activities.ts'
import type { RunOutcome, TriggerPlan, TriggerTaskInput } from './contract.ts'

/** Pauses between attempts, in seconds: 1, 2, 4 … 300. */
const pauseSeconds = (attempt: number): number => Math.min(2 ** (attempt - 1), 300)

async function attemptRun(
  event_id: string,
  attempt: number,
  plan: NonNullable<TriggerPlan>,
): Promise<RunOutcome> {
  const summary = `${plan.script} v${plan.version}, attempt ${attempt} of ${plan.attempts}`
  try {
    return await runScript(event_id, attempt, summary, plan.timeout_seconds)
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    return core.closeLostRun({ event_id, attempt })
  }
}

/**
 * A template's trigger task, told of one event of one request, beside the request: however it ends, the request is not
 * changed. Fails when the last attempt failed, so that operators find it.
 */
export async function triggerTask({ event_id }: TriggerTaskInput): Promise<string> {
  const plan = await core.planTrigger({ event_id })
  if (plan === null) return 'nothing to run: the trigger task is gone or disabled'
  for (let attempt = 1; ; attempt++) {
    const outcome = await attemptRun(event_id, attempt, plan)
    setCurrentDetails(
      `Attempt ${attempt} of ${plan.attempts}: **${outcome.status}** (${outcome.ended_by}), run \`${outcome.run_id}\``,
    )
    if (outcome.status === 'succeeded') return `${plan.script} v${plan.version} succeeded`
    if (attempt >= plan.attempts) {
      const message = `${plan.script} v${plan.version} failed: ${outcome.ended_by}, run ${outcome.run_id}`
      throw ApplicationFailure.nonRetryable(message, 'script_failed')
    }
    await sleep(pauseSeconds(attempt) * 1_000, {
      summary: `before attempt ${attempt + 1} of ${plan.attempts}`,
    })
  }
}
