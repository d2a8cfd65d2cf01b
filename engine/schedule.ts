import { ScheduleAlreadyRunning } from '@temporalio/client'

import { expirySchedule, queues, workflowTypes } from '../workflows/contract.ts'
import type { Engine } from './engine.ts'

/** The sweep as operators see it: a schedule in Temporal. */
export async function ensureExpirySchedule({ client, queue }: Engine): Promise<void> {
  await client.schedule
    .create({
      scheduleId: expirySchedule.id,
      spec: { intervals: [{ every: expirySchedule.every }] },
      policies: { overlap: 'SKIP', catchupWindow: '1 minute' },
      action: {
        type: 'startWorkflow',
        workflowType: workflowTypes.accessRequestExpiry,
        workflowId: expirySchedule.id,
        taskQueue: queues(queue).core,
        args: [],
        staticSummary: 'Ends what is overdue',
      },
    })
    .catch((error: unknown) => {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error
    })
}
