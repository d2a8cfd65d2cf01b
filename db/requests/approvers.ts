import type { Candidate } from '../../domain/notification-policy.ts'
import { findRow, rows } from '../client.ts'
import type { Db } from '../client.ts'

export type Approver = { id: string; email: string; display_name: string }

/** Who may decide now, by e-mail. Live: read it in the transaction that decides. */
export function findEligibleApprovers(db: Db, request_id: string): Promise<Approver[]> {
  return rows<Approver>(db`
    select e.identity_id as id, e.email, e.display_name
    from access_requests r, eligible_approvers(r) e where r.id = ${request_id} order by e.email`)
}

export async function isEligibleApprover(db: Db, request_id: string, identity_id: string): Promise<boolean> {
  const row = await findRow(db`
    select 1 from access_requests r, eligible_approvers(r) e
    where r.id = ${request_id} and e.identity_id = ${identity_id}`)
  return row !== undefined
}

/**
 * Whoever could act as requester or subject when it was asked, or can now: themselves, the owner, the delegates, and who
 * made a credential of theirs; then who made one of these people, and whom one of them made. They never decide, whatever
 * groups they are in.
 */
export async function hasOwnInterest(db: Db, request_id: string, identity_id: string): Promise<boolean> {
  const row = await findRow(db`
    select 1 from access_requests r, interested_in(r.id, r.requester_id, r.subject_id) own (id)
    where r.id = ${request_id} and own.id = ${identity_id}`)
  return row !== undefined
}

/**
 * Everyone whom the notification policy counts: the active humans of the approver groups, in the template's order
 * of groups and then by joining; without groups the admins, as one group by joining.
 */
export function findCandidates(db: Db, request_id: string): Promise<Candidate[]> {
  return rows<Candidate>(db`
    with asked as (
      select r as request, r.* from access_requests r where r.id = ${request_id}
    ), named as (
      select g.id as group_id, g.id as counts_as, o.ordinality as place
      from asked, unnest(asked.approver_group_ids) with ordinality as o (id, ordinality) join groups g on g.id = o.id
      union all
      select g.id, null, 0 from asked, groups g
      where asked.approver_group_ids = '{}' and 'access_requests.manage' = any (g.permissions)
    )
    select i.id as identity_id, n.counts_as as group_id, e.identity_id is not null as is_eligible
    from named n
    join memberships m on m.group_id = n.group_id and (m.expires_at is null or m.expires_at > clock_timestamp())
    join identities i on i.id = m.identity_id and i.kind = 'human' and i.status = 'active'
    left join (select el.identity_id from asked, eligible_approvers(asked.request) el) e on e.identity_id = i.id
    order by n.place, m.joined_at, i.id`)
}

/** Those of `identity_ids` that share a standing group with the requester. */
export async function findSharingGroup(
  db: Db,
  requester_id: string,
  identity_ids: string[],
): Promise<Set<string>> {
  const found = await rows<{ identity_id: string }>(db`
    select distinct theirs.identity_id from memberships mine
    join groups g on g.id = mine.group_id and g.kind = 'standing'
    join memberships theirs on theirs.group_id = mine.group_id
      and (theirs.expires_at is null or theirs.expires_at > clock_timestamp())
    where mine.identity_id = ${requester_id} and theirs.identity_id = any (${identity_ids}::uuid[])
      and (mine.expires_at is null or mine.expires_at > clock_timestamp())`)
  return new Set(found.map(({ identity_id }) => identity_id))
}
