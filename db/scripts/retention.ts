import type { Sql } from '../client.ts'

/** What one sweep takes away at most, so that no statement lasts. */
const batch = 2_000

/**
 * Deletes runs that began, and deliveries that ended, more than so many days ago. The runs of a request belong to its
 * record: they are kept while it is open and for as many days after its end.
 */
export async function forgetOldRuns(sql: Sql, days: number): Promise<void> {
  await sql`
    delete from script_runs where id in (
      select s.id from script_runs s left join access_requests r on r.id = s.request_id
      where s.status <> 'running' and s.started_at < clock_timestamp() - ${days} * interval '1 day'
        and (r.id is null or r.ended_at < clock_timestamp() - ${days} * interval '1 day')
      order by s.started_at limit ${batch})`
  await sql`
    delete from deliveries where id in (
      select id from deliveries where finished_at < clock_timestamp() - ${days} * interval '1 day'
      order by finished_at limit ${batch})`
}
