import { chooseNotified } from '../../domain/notification-policy.ts'
import type { Candidate, NotificationPolicy } from '../../domain/notification-policy.ts'
import { appendAudit, nobody } from '../audit.ts'
import { getRow, rows } from '../client.ts'
import type { Tx } from '../client.ts'
import { findCandidates, findEligibleApprovers, findSharingGroup } from './approvers.ts'

type Asked = {
  template_id: string | null
  requester_id: string
  approver_group_ids: string[]
  notification_policy: NotificationPolicy
  notification_count: number
  prefer_requester_groups: boolean
}

async function preferOwnGroups(tx: Tx, asked: Asked, candidates: Candidate[]): Promise<Candidate[]> {
  if (!asked.prefer_requester_groups) return candidates
  const eligible = candidates.filter(({ is_eligible }) => is_eligible).map(({ identity_id }) => identity_id)
  const sharing = await findSharingGroup(tx, asked.requester_id, eligible)
  if (sharing.size === 0) return candidates
  return candidates.map((each) => ({
    ...each,
    is_eligible: each.is_eligible && sharing.has(each.identity_id),
  }))
}

/** Holds the template's cursor until the transaction ends, so that parallel submissions take turns. */
async function lockCursor(tx: Tx, asked: Asked): Promise<number> {
  if (asked.notification_policy !== 'round_robin' || asked.template_id === null) return 0
  const row = await getRow<{ position: number }>(
    tx`insert into round_robin_cursors (template_id) values (${asked.template_id})
      on conflict (template_id) do update set position = round_robin_cursors.position returning position`,
  )
  return row.position
}

/** Adds people to those who were told, in order; whoever was told already keeps their place. Returns e-mails. */
async function recordNotified(
  tx: Tx,
  request_id: string,
  identity_ids: string[],
  reason: 'submitted' | 'escalated',
): Promise<string[]> {
  const added = await rows<{ email: string }>(tx`
    insert into notifications (request_id, identity_id, email, reason, position)
    select ${request_id}, i.id, i.email, ${reason},
      o.ordinality + (select count(*) from notifications n where n.request_id = ${request_id})
    from unnest(${identity_ids}::uuid[]) with ordinality as o (id, ordinality) join identities i on i.id = o.id
    order by o.ordinality
    on conflict do nothing returning email`)
  return added.map(({ email }) => email)
}

/** Chooses whom the template's policy tells of a request, records them, and returns their e-mails in order. */
export async function notifyApprovers(tx: Tx, request_id: string): Promise<string[]> {
  const asked = await getRow<Asked>(tx`
    select template_id, requester_id, approver_group_ids,
      snapshot ->> 'notification_policy' as notification_policy,
      (snapshot ->> 'notification_count')::int as notification_count,
      (snapshot ->> 'prefer_requester_groups')::boolean as prefer_requester_groups
    from access_requests where id = ${request_id}`)
  const cursor = await lockCursor(tx, asked)
  const chosen = chooseNotified({
    policy: asked.notification_policy,
    count: asked.notification_count,
    cursor,
    candidates: await preferOwnGroups(tx, asked, await findCandidates(tx, request_id)),
    first_group_id: asked.approver_group_ids[0] ?? null,
    random: Math.random,
  })
  if (chosen.cursor !== cursor) {
    await tx`update round_robin_cursors set position = ${chosen.cursor} where template_id = ${asked.template_id}`
  }
  return recordNotified(tx, request_id, chosen.identity_ids, 'submitted')
}

/** Says in the timeline that a request waits for people who are not there. */
export async function noteIfNobodyMayDecide(tx: Tx, request_id: string): Promise<void> {
  const eligible = await findEligibleApprovers(tx, request_id)
  if (eligible.length > 0) return
  await appendAudit(tx, { kind: 'access_request.no_eligible_approver', actor: nobody, request_id })
}

/** Tells the escalation group's eligible members. Returns the e-mails of those who had not been told before. */
export async function notifyEscalationGroup(tx: Tx, request_id: string): Promise<string[]> {
  const members = await rows<{ identity_id: string }>(tx`
    select e.identity_id from access_requests r, eligible_approvers(r) e
    join memberships m on m.identity_id = e.identity_id
    where r.id = ${request_id} and m.group_id = r.escalation_group_id
      and (m.expires_at is null or m.expires_at > clock_timestamp())
    order by m.joined_at, e.identity_id`)
  return recordNotified(
    tx,
    request_id,
    members.map(({ identity_id }) => identity_id),
    'escalated',
  )
}
