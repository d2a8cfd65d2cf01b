import { rows } from '../client.ts'
import type { Db } from '../client.ts'

export const liveChannel = 'hallpass_live'

export type Sight = { request_id: string; identity_id: string }

/** Which of these people may see which of these requests now, as `maySee` of each would say. */
export function findSights(db: Db, request_ids: string[], identity_ids: string[]): Promise<Sight[]> {
  return rows<Sight>(db`
    with viewers as (
      select i.id, exists (
        select from active_groups(i.id, clock_timestamp()) g
        where g.permissions && array['access_requests.manage', 'audit.read']) as reads_all
      from identities i
      where i.id = any (${identity_ids}::uuid[]) and i.status = 'active'
        and (i.expires_at is null or i.expires_at > clock_timestamp())
    )
    select r.id as request_id, v.id as identity_id
    from access_requests r
    join identities s on s.id = r.subject_id
    cross join lateral (select array(select e.identity_id from eligible_approvers(r) e) as ids) approvers
    join viewers v on v.reads_all or v.id in (r.requester_id, r.subject_id, s.owner_id)
      or v.id = any (approvers.ids)
    where r.id = any (${request_ids}::uuid[])`)
}
