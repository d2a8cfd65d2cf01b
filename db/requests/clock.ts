import { appendAudit, nobody } from '../audit.ts'
import { rows, transaction } from '../client.ts'
import type { Sql } from '../client.ts'
import { enqueueEvent } from '../outbox.ts'
import { lockRequest, transition } from '../transition.ts'
import type { LockedRequest } from '../transition.ts'
import { notifyEscalationGroup } from './notify.ts'
import { findOrphans, revokeOrphan } from './orphans.ts'

/** `as_of` is the engine's time in ms since 1970, so that a timer that fired is due; the later clock counts. */
type Due = { request_id: string; as_of: number }

const isDue = (at: string | null, { now }: LockedRequest, as_of: number): boolean =>
  at !== null && Date.parse(at) <= Math.max(Date.parse(now), as_of)

/** Ends the grant of an approved request whose time has come. Does nothing otherwise. Returns whether it did. */
export function expireRequest(sql: Sql, { request_id, as_of }: Due): Promise<boolean> {
  return transaction(sql, async (tx) => {
    const request = await lockRequest(tx, request_id)
    if (request?.status !== 'approved' || !isDue(request.expires_at, request, as_of)) return false
    await transition(tx, request, { event: 'expired' })
    return true
  })
}

/** Puts a request that has waited too long to the escalation group as well, once, even if that group is empty. */
export function escalateRequest(sql: Sql, { request_id, as_of }: Due): Promise<boolean> {
  return transaction(sql, async (tx) => {
    const request = await lockRequest(tx, request_id)
    if (request?.status !== 'pending' || request.escalated_at !== null) return false
    if (!isDue(request.escalate_at, request, as_of)) return false
    await tx`update access_requests set escalated_at = ${request.now} where id = ${request.id}`
    const notified = await notifyEscalationGroup(tx, request.id)
    await appendAudit(tx, {
      kind: 'access_request.escalated',
      actor: nobody,
      request_id: request.id,
      detail: { escalation_group_id: request.escalation_group_id, notified_approvers: notified },
    })
    await enqueueEvent(tx, {
      type: 'access_request.escalated',
      request_id: request.id,
      trigger_event: null,
      payload: {
        request_id: request.id,
        template_name: request.template_name,
        requester_email: request.requester_email,
      },
    })
    return true
  })
}

type Swept = { request_id: string }

/** Grants whose workflow should have ended them `grace_seconds` ago or earlier. */
const findOverdue = (sql: Sql, grace_seconds: number): Promise<Swept[]> =>
  rows<Swept>(sql`
    select id as request_id from access_requests
    where status = 'approved' and expires_at <= clock_timestamp() - ${grace_seconds} * interval '1 second'
    order by expires_at limit 500`)

/** A row that cannot be ended now does not keep the others: it comes up again. */
async function tryEach(ids: string[], work: (id: string) => Promise<boolean>): Promise<string[]> {
  const ended: string[] = []
  for (const id of ids) {
    const isEnded = await work(id).catch(() => false)
    if (isEnded) ended.push(id)
  }
  return ended
}

/**
 * Ends what a workflow failed to end: overdue grants, and the requests of identities that are disabled or have expired. Needs no
 * engine and may run anywhere, any number of times at once. Returns the ids of the requests that it ended.
 */
export async function sweep(sql: Sql, grace_seconds = 3): Promise<string[]> {
  const overdue = (await findOverdue(sql, grace_seconds)).map(({ request_id }) => request_id)
  const expired = await tryEach(overdue, (request_id) => expireRequest(sql, { request_id, as_of: 0 }))
  const revoked = await tryEach(await findOrphans(sql), (id) => revokeOrphan(sql, id))
  return [...expired, ...revoked]
}
