import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client'

import type { Sql } from '../db/client.ts'
import { claimEvents, markDispatched, settleEvent } from '../db/outbox.ts'
import type { DueEvent } from '../db/outbox.ts'
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

/** Unknown: it has never been started, or the engine's store is new. */
async function statusOf({ client }: Engine, { request_id, event }: Trigger): Promise<string> {
  try {
    return (await client.workflow.getHandle(triggerWorkflowId(request_id, event)).describe()).status.name
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'UNKNOWN'
    throw error
  }
}

/** Returns whether nothing is left to be done: the workflow has ended, however it did. */
async function carryOn(engine: Engine, trigger: Trigger, is_dispatched: boolean): Promise<boolean> {
  const status = is_dispatched ? await statusOf(engine, trigger) : 'UNKNOWN'
  if (status === 'UNKNOWN') await startTrigger(engine, trigger)
  return !['UNKNOWN', 'RUNNING'].includes(status)
}

async function dispatch(sql: Sql, engine: Engine, { id, is_dispatched }: DueEvent): Promise<void> {
  const trigger = await findTrigger(sql, id)
  const isOver =
    trigger === undefined ||
    (await engine.client.connection.withAbortSignal(AbortSignal.timeout(5_000), () =>
      carryOn(engine, trigger, is_dispatched),
    ))
  await (isOver ? settleEvent(sql, id) : markDispatched(sql, id))
}

/**
 * Starts the trigger task's workflow of every event that waits, and again where it was lost before it had ended; an
 * event that fails comes up again. Returns how many waited.
 */
export async function dispatchEvents(sql: Sql, engine: Engine): Promise<number> {
  const events = await claimEvents(sql)
  await Promise.allSettled(events.map((event) => dispatch(sql, engine, event)))
  return events.length
}
