import type { Db } from '../client.ts'

/** What one statement takes away at most, so that none lasts, and how many of them one sweep may need. */
const batch = 2_000
const batches = 20

async function repeat(forget: () => PromiseLike<{ count: number }>): Promise<void> {
  for (let left = batches; left > 0 && (await forget()).count === batch; left--);
}

/**
 * Deletes runs that began more than so many days ago. The runs of a request belong to its record: they are kept while
 * it is open and for as many days after its end.
 */
export function forgetOldRuns(db: Db, days: number): Promise<void> {
  return repeat(
    () => db`
      delete from script_runs where id in (
        select s.id from script_runs s left join access_requests r on r.id = s.request_id
        where s.status <> 'running' and s.started_at < clock_timestamp() - ${days} * interval '1 day'
          and (r.id is null or r.ended_at < clock_timestamp() - ${days} * interval '1 day')
        order by s.started_at limit ${batch})`,
  )
}

/**
 * Deletes outgoing events of requests that ended more than so many days ago, once everybody has been told, and their
 * deliveries before them.
 */
export async function forgetOldEvents(db: Db, days: number): Promise<void> {
  await repeat(
    () => db`
      delete from deliveries where id in (
        select d.id from deliveries d join access_requests r on r.id = d.request_id
        where d.finished_at < clock_timestamp() - ${days} * interval '1 day'
          and r.ended_at < clock_timestamp() - ${days} * interval '1 day'
        order by d.finished_at limit ${batch})`,
  )
  await repeat(
    () => db`
      delete from outbox_events where id in (
        select o.id from outbox_events o left join access_requests r on r.id = o.request_id
        where o.settled_at is not null and o.fanned_out_at is not null
          and o.created_at < clock_timestamp() - ${days} * interval '1 day'
          and (r.id is null or r.ended_at < clock_timestamp() - ${days} * interval '1 day')
          and not exists (select from deliveries d where d.event_id = o.id)
        order by o.seq limit ${batch})`,
  )
}
