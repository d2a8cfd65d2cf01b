import type { DeliveryState } from '../../domain/delivery.ts'
import type { IntegrationEvent } from '../../domain/lifecycle.ts'
import { findRow, getRow, rows, transaction } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import { wakeOutbox } from '../outbox.ts'
import { asText } from './facts.ts'

/** One event on its way to one script task that is bound to it. */
export type Delivery = {
  id: string
  event_id: string
  event_type: IntegrationEvent
  request_id: string
  task_id: string
  workflow_id: string
  task_name: string
  template_name: string
  app_name: string
  requester_email: string
}

export type DeliveryEnd = Exclude<DeliveryState, 'waiting' | 'started'>

type Waiting = { id: string; seq: string; type: string; request_id: string }

/** How many events are looked at in one transaction. */
export const fanOutBatch = 100

/**
 * Ids of workflows are what operators read, and the events' ids keep them apart. A task's name is unique at any one
 * time, so those of one event differ.
 */
const insertDeliveries = (tx: Tx, { id, seq, type, request_id }: Waiting) => tx`
  insert into deliveries (id, event_id, seq, event_type, request_id, task_id, workflow_id)
  select gen_random_uuid(), ${id}, ${seq}, ${type}, ${request_id}, t.id, 'integration/' || t.name || '/' || ${id}::text
  from script_tasks t join script_task_versions v on v.task_id = t.id and v.version = t.version
  where (v.definition -> 'enabled')::boolean and v.definition -> 'events' ? ${type}
  on conflict (event_id, task_id) do nothing`

/**
 * Writes down, for every event that has not been looked at, which tasks it has to be delivered to: those that are
 * enabled and bound now. One process at a time and in the order of the events, so that no delivery is missing when a
 * later one of the same request is there. Returns how many events there were.
 */
export function fanOutEvents(sql: Sql): Promise<number> {
  return transaction(sql, async (tx) => {
    await tx`select pg_advisory_xact_lock(hashtext('hallpass:deliveries'))`
    const events = await rows<Waiting>(tx`
      select id, seq, type, request_id from outbox_events where fanned_out_at is null order by seq limit ${fanOutBatch}`)
    for (const event of events) if (event.request_id !== null) await insertDeliveries(tx, event)
    await tx`update outbox_events set fanned_out_at = clock_timestamp()
      where id = any (${events.map(({ id }) => id)}::uuid[])`
    return events.length
  })
}

const select = (db: Db) => db`
  select d.id, d.event_id, d.event_type, d.request_id, d.task_id, d.workflow_id, t.name as task_name,
    r.template_name, r.app_name, r.requester_email
  from deliveries d join script_tasks t on t.id = d.task_id join access_requests r on r.id = d.request_id`

/**
 * Takes up to 20 deliveries whose turn it is: to the same task, and of the same request, none before it is open.
 * One whose start failed comes up again after a growing while, and so does one that was started and has not ended: its
 * workflow may have been terminated, or lost with the engine's store.
 */
export async function claimDeliveries(sql: Sql): Promise<Delivery[]> {
  const claimed = await rows<{ id: string }>(sql`
    with due as (
      select d.id from deliveries d
      where d.finished_at is null and d.next_attempt_at <= clock_timestamp()
        and not exists (select from deliveries e where e.task_id = d.task_id and e.request_id = d.request_id
                        and e.finished_at is null and e.seq < d.seq)
      order by d.seq limit 20 for update skip locked
    )
    update deliveries d set attempts = d.attempts + 1,
      next_attempt_at = clock_timestamp() + least(power(2, least(d.attempts, 5)), 30) * interval '1 second'
    from due where d.id = due.id returning d.id`)
  const ids = claimed.map(({ id }) => id)
  return rows<Delivery>(sql`${select(sql)} where d.id = any (${ids}::uuid[]) order by d.seq`)
}

/** Its workflow is there. It is looked at again after 1, 2, 4 … 16 minutes: many that last must not keep the engine busy. */
export async function markStarted(db: Db, id: string): Promise<void> {
  await db`update deliveries set state = 'started',
    next_attempt_at = clock_timestamp() + power(2, least(attempts, 5) - 1) * interval '1 minute'
    where id = ${id} and finished_at is null`
}

/** Undefined: it has ended, or its task is gone. */
export function findDelivery(db: Db, id: string): Promise<Delivery | undefined> {
  return findRow<Delivery>(db`${select(db)} where d.id = ${id} and d.finished_at is null`)
}

/** The next delivery of this request to this task may start. */
export async function endDelivery(db: Db, id: string, state: DeliveryEnd): Promise<void> {
  await db`update deliveries set state = ${state}, finished_at = clock_timestamp()
    where id = ${id} and finished_at is null`
  await wakeOutbox(db)
}

type Payload = Record<string, string | string[] | number | boolean | null>

/** What `config.get` tells a script of an event: every member of its payload, as `key` and as `event.key`. */
export async function readEventConfig(
  db: Db,
  { event_id, event_type }: Pick<Delivery, 'event_id' | 'event_type'>,
): Promise<Record<string, string>> {
  const { payload } = await getRow<{ payload: Payload }>(
    db`select payload from outbox_events where id = ${event_id}`,
  )
  const facts = Object.entries(payload).map(([key, value]) => [key, asText(value)] as const)
  const prefixed = facts.map(([key, value]) => [`event.${key}`, value] as const)
  return Object.fromEntries([...facts, ...prefixed, ['event.type', event_type], ['event.id', event_id]])
}
