import type { TriggerEvent } from '../../domain/lifecycle.ts'
import type { FailureMode } from '../../domain/template.ts'
import { findRow } from '../client.ts'
import type { Db } from '../client.ts'

/** An outgoing event that a trigger task is to be told of, beside the request. */
export type Trigger = {
  event_id: string
  event: TriggerEvent
  request_id: string
  task_id: string
  failure_mode: FailureMode
  template_name: string
  app_name: string
  requester_email: string
}

/**
 * Undefined: nothing runs beside the request for this event. A block task's `approved` has run already: it is what
 * let the approval pass.
 */
export function findTrigger(db: Db, event_id: string): Promise<Trigger | undefined> {
  return findRow<Trigger>(db`
    select o.id as event_id, o.trigger_event as event, r.id as request_id, r.trigger_task_id as task_id,
      r.trigger_task_failure_mode as failure_mode, r.template_name, r.app_name, r.requester_email
    from outbox_events o join access_requests r on r.id = o.request_id
    where o.id = ${event_id} and o.trigger_event is not null and r.trigger_task_id is not null
      and not (r.trigger_task_failure_mode = 'block' and o.trigger_event = 'approved')`)
}
