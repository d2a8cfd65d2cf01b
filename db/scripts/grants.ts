import { getRow } from '../client.ts'
import type { Db } from '../client.ts'

/** More than this would not be read by anybody, and would be a burden on every run. */
const most = 1_000

/**
 * What `config.get` tells a scheduled script: when it was due, and the access that is open now, soonest end first, as
 * JSON in `open_grants`; `open_grants_total` counts also those that are left out.
 */
export async function readScheduledConfig(db: Db, scheduled_at: string): Promise<Record<string, string>> {
  const { open_grants, total } = await getRow<{ open_grants: string; total: number }>(db`
    with open as (
      select r.id as request_id, r.template_name, r.app_name, r.subject_name, r.requester_name, r.requester_email,
        r.decided_by_email, to_char(g.starts_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as starts_at,
        to_char(g.expires_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as expires_at
      from grants g join access_requests r on r.id = g.request_id
      where g.ended_at is null and g.expires_at > clock_timestamp() order by g.expires_at, g.id
    )
    select (select count(*) from open)::int as total,
      coalesce((select json_agg(o) from (select * from open limit ${most}) o), '[]')::text as open_grants`)
  return { trigger_event: 'schedule', scheduled_at, open_grants, open_grants_total: String(total) }
}
