import { ActivityCancellationType, proxyActivities, workflowInfo } from '@temporalio/workflow'

import type { Activities } from '../activities/activities.ts'
import { queues } from './contract.ts'

/** Short database work: tried for as long as it takes, since giving up would orphan an access. */
export const core = proxyActivities<Activities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
})

const runQueues = () => queues(workflowInfo().taskQueue)

/** A block script, once. Whatever happens to it, the approval is then put to the database, which looks at the run. */
export function runBlock(command_id: string, script: string) {
  const { runBlockScript } = proxyActivities<Activities>({
    taskQueue: runQueues().block,
    startToCloseTimeout: '35s',
    scheduleToCloseTimeout: '40s',
    heartbeatTimeout: '5s',
    retry: { maximumAttempts: 1 },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  })
  return runBlockScript.executeWithOptions({ summary: `block: ${script}` }, [{ command_id }])
}

/** One attempt of a script beside the request. */
export function runScript(event_id: string, attempt: number, summary: string, timeout_seconds: number) {
  const { runTriggerScript } = proxyActivities<Activities>({
    taskQueue: runQueues().runs,
    startToCloseTimeout: `${timeout_seconds + 10}s`,
    heartbeatTimeout: '5s',
    retry: { maximumAttempts: 1 },
  })
  return runTriggerScript.executeWithOptions({ summary }, [{ event_id, attempt }])
}
