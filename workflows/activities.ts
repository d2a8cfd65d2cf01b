import { ActivityCancellationType, proxyActivities, workflowInfo } from '@temporalio/workflow'

import type { Activities } from '../activities/activities.ts'
import { patienceSeconds } from '../domain/patience.ts'
import { queues } from './contract.ts'
import type { Firing } from './contract.ts'

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

const onRunsQueue = (timeout_seconds: number) =>
  proxyActivities<Activities>({
    taskQueue: runQueues().runs,
    startToCloseTimeout: `${patienceSeconds + timeout_seconds + 10}s`,
    heartbeatTimeout: '5s',
    retry: { maximumAttempts: 1 },
  })

type Attempt = { attempt: number }

/** One attempt of a script beside the request. */
export const runScript = (input: Attempt & { event_id: string }, summary: string, timeout_seconds: number) =>
  onRunsQueue(timeout_seconds).runTriggerScript.executeWithOptions({ summary }, [input])

/** One attempt to deliver an event. */
export const runDelivery = (
  input: Attempt & { delivery_id: string },
  summary: string,
  timeout_seconds: number,
) => onRunsQueue(timeout_seconds).runDeliveryScript.executeWithOptions({ summary }, [input])

/** One attempt of a scheduled run. */
export const runScheduled = (input: Attempt & Firing, summary: string, timeout_seconds: number) =>
  onRunsQueue(timeout_seconds).runScheduledScript.executeWithOptions({ summary }, [input])
