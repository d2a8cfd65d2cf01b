import type { Sql } from '../db/client.ts'
import { claimDeliveries, markStarted } from '../db/scripts/deliveries.ts'
import type { Delivery } from '../db/scripts/deliveries.ts'
import { queues, searchKeys, workflowTypes } from '../workflows/contract.ts'
import type { Engine } from './engine.ts'

/** One that runs already is left alone; one that an operator has ended is started again. */
async function start({ client, queue }: Engine, delivery: Delivery): Promise<void> {
  const { id: delivery_id, event_type, task_name, template_name, app_name, requester_email } = delivery
  await client.workflow.start(workflowTypes.integrationDelivery, {
    workflowId: delivery.workflow_id,
    taskQueue: queues(queue).core,
    args: [{ delivery_id }],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `${event_type} → ${task_name}: ${requester_email} → ${app_name}`,
    typedSearchAttributes: [
      { key: searchKeys.template, value: template_name },
      { key: searchKeys.application, value: app_name },
      { key: searchKeys.requester, value: requester_email },
    ],
  })
}

/**
 * Starts the workflow of every delivery whose turn it is; one that cannot be started comes up again. Returns how many
 * there were.
 */
export async function startDeliveries(sql: Sql, engine: Engine): Promise<number> {
  const due = await claimDeliveries(sql)
  await Promise.allSettled(
    due.map(async (delivery) => {
      await engine.client.connection.withAbortSignal(AbortSignal.timeout(5_000), () =>
        start(engine, delivery),
      )
      await markStarted(sql, delivery.id)
    }),
  )
  return due.length
}
