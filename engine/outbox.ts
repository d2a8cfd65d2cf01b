import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client'

import type { Sql } from '../db/client.ts'
import { claimEvents, markDispatched } from '../db/outbox.ts'
import type { OutboxEvent } from '../db/outbox.ts'
import { findTrigger } from '../db/scripts/triggers.ts'
import type { Trigger } from '../db/scripts/triggers.ts'
import { queues, searchKeys, triggerWorkflowId, workflowTypes } from '../workflows/contract.ts'
import type { Engine } from './engine.ts'

async function startTrigger({ client, queue }: Engine, trigger: Trigger): Promise<void> {
  const { event_id, event, request_id, template_name, app_name, requester_email } = trigger
  await client.workflow
    .start(workflowTypes.triggerTask, {
      workflowId: triggerWorkflowId(request_id, event),
      taskQueue: queues(queue).core,
      args: [{ event_id }],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: `${event}: ${requester_email} → ${app_name}`,
      typedSearchAttributes: [
        { key: searchKeys.template, value: template_name },
        { key: searchKeys.application, value: app_name },
        { key: searchKeys.requester, value: requester_email },
      ],
    })
    .catch((error: unknown) => {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
    })
}

async function dispatch(sql: Sql, engine: Engine, { id }: OutboxEvent): Promise<void> {
  const trigger = await findTrigger(sql, id)
  if (trigger) {
    await engine.client.connection.withAbortSignal(AbortSignal.timeout(5_000), () =>
      startTrigger(engine, trigger),
    )
  }
  await markDispatched(sql, id)
}

/** Starts the trigger task's workflow of every event that waits; an event that fails comes up again. Returns how many waited. */
export async function dispatchEvents(sql: Sql, engine: Engine): Promise<number> {
  const events = await claimEvents(sql)
  await Promise.allSettled(events.map((event) => dispatch(sql, engine, event)))
  return events.length
}
