import { randomUUIDv7 } from 'node:crypto'

import type { IntegrationEvent, TriggerEvent } from '../domain/lifecycle.ts'
import type { Json } from './audit.ts'
import { rows } from './client.ts'
import type { Db, Sql, Tx } from './client.ts'

export const outboxChannel = 'hallpass_outbox'

type Outgoing = {
  type: IntegrationEvent
  request_id: string
  /** What the template's trigger task is told of, if it is told of this event at all. */
  trigger_event: TriggerEvent | null
  payload: { [key: string]: Json }
}

/** An event that is not settled; `is_dispatched`: its trigger task's workflow has been started. */
export type DueEvent = { id: string; is_dispatched: boolean }

/** Writes an outgoing event with the change it tells of. It is delivered at least once, later, by its stable id. */
export async function enqueueEvent(tx: Tx, { payload, ...event }: Outgoing): Promise<void> {
  await tx`insert into outbox_events ${tx({ id: randomUUIDv7(), ...event, payload: tx.json(payload) as never })}`
  await wakeOutbox(tx)
}

/** There is something to deliver, as soon as this transaction is committed. */
export async function wakeOutbox(db: Db): Promise<void> {
  await db`select pg_notify(${outboxChannel}, '')`
}

/** Takes up to 20 events that wait, oldest first, and hides them from other takers for a growing while. */
export function claimEvents(sql: Sql): Promise<DueEvent[]> {
  return rows<DueEvent>(sql`
    with due as (
      select id from outbox_events where settled_at is null and next_attempt_at <= clock_timestamp()
      order by seq limit 20 for update skip locked
    )
    update outbox_events o set attempts = o.attempts + 1,
      next_attempt_at = clock_timestamp() + power(2, least(o.attempts, 5)) * interval '1 second'
    from due where o.id = due.id
    returning o.id, o.dispatched_at is not null as is_dispatched`)
}

/** The workflow is there. It is looked at again after 1, 2, 4 … 16 minutes: it may be lost with the engine's store. */
export async function markDispatched(db: Db, id: string): Promise<void> {
  await db`update outbox_events set dispatched_at = coalesce(dispatched_at, clock_timestamp()),
    next_attempt_at = clock_timestamp() + power(2, least(attempts, 5) - 1) * interval '1 minute' where id = ${id}`
}

/** Nothing is left to be done for the trigger task. */
export async function settleEvent(db: Db, id: string): Promise<void> {
  await db`update outbox_events set dispatched_at = coalesce(dispatched_at, clock_timestamp()),
    settled_at = clock_timestamp() where id = ${id}`
}
