import { randomUUID } from 'node:crypto'

import { Client, Connection } from '@temporalio/client'
import { msToTs } from '@temporalio/common/lib/time.js'
import proto from '@temporalio/proto'
import { inject } from 'vitest'

const { FastForwardPollingResult } = proto.temporal.api.enums.v1

/** A client of this test run's Temporal. */
export async function connectToTestTemporal(): Promise<Client> {
  const { temporal_address, temporal_namespace } = inject('servers')
  const connection = await Connection.connect({ address: temporal_address })
  return new Client({ connection, namespace: temporal_namespace })
}

/**
 * Moves the clock of one workflow on, running whatever falls due on the way: true when the time was reached, false
 * when the workflow ended before. Takes a worker that runs.
 */
export async function fastForward(client: Client, workflowId: string, durationMs: number): Promise<boolean> {
  const { workflowService, options } = client
  const target = { namespace: options.namespace, workflowExecution: { workflowId } }
  const fastForwardId = randomUUID()
  await workflowService.updateWorkflowExecutionOptions({
    ...target,
    workflowExecutionOptions: {
      timeSkippingConfig: {
        enabled: true,
        fastForwardConfig: { id: fastForwardId, duration: msToTs(durationMs) },
      },
    },
    updateMask: { paths: ['time_skipping_config'] },
  })
  for (;;) {
    const answer = await workflowService.pollWorkflowExecutionTimeSkipping({ ...target, fastForwardId })
    switch (answer.fastForwardPollingResult) {
      case FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED:
        return true
      case FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_FAILED:
        return false
      default: // The long poll ended before: ask again.
    }
  }
}
