import { core, runDelivery } from './activities.ts'
import { concludeRun, runWithRetries } from './attempts.ts'
import { forgivenLosses } from './contract.ts'
import type { DeliveryInput } from './contract.ts'

/**
 * One event, told to one script task that is bound to it. However it ends, its end is written down, so that the next
 * event of the same request goes on. Fails when the last attempt failed, so that operators find it.
 */
export async function integrationDelivery({ delivery_id }: DeliveryInput): Promise<string> {
  const plan = await core.planDelivery({ delivery_id })
  if (plan === null) return 'nothing to deliver: the task is gone, disabled or no longer bound to this event'
  const last = await runWithRetries(
    plan,
    {
      run: (attempt, summary) => runDelivery({ delivery_id, attempt }, summary, plan.timeout_seconds),
      closeLost: (attempt) => core.closeLostDelivery({ delivery_id, attempt }),
    },
    forgivenLosses,
  )
  await core.endDelivery({ delivery_id, status: last.status })
  return concludeRun(plan, last)
}
