import { randomUUIDv7 } from 'node:crypto'

import { lifecycle, mayHappen } from '../domain/lifecycle.ts'
import type { LifecycleEvent, Status } from '../domain/lifecycle.ts'
import type { FailureMode } from '../domain/template.ts'
import { appendAudit, nobody } from './audit.ts'
import type { Actor, Json } from './audit.ts'
import { findRow, getRow } from './client.ts'
import type { Tx } from './client.ts'
import { enqueueEvent } from './outbox.ts'

/** A request whose row this transaction holds, as it was read after the lock was granted. */
export type LockedRequest = {
  id: string
  status: Status
  template_name: string
  app_id: string
  app_name: string
  mapping_ids: string[]
  requester_id: string
  requester_email: string
  subject_id: string
  requested_duration_mins: number
  trigger_task_failure_mode: FailureMode
  escalation_group_id: string | null
  escalate_at: string | null
  escalated_at: string | null
  expires_at: string | null
  /** The database's clock, read after the lock. */
  now: string
}

/** Locks, then reads: a statement that waited for the lock has a snapshot from before it. */
export async function lockRequest(tx: Tx, id: string): Promise<LockedRequest | undefined> {
  await tx`select from access_requests where id = ${id} for update`
  return findRow<LockedRequest>(tx`
    select id, status, template_name, app_id, app_name, requester_id, requester_email, subject_id,
      requested_duration_mins, trigger_task_failure_mode, escalation_group_id, escalate_at, escalated_at,
      expires_at, clock_timestamp() as now,
      array(select jsonb_array_elements(mappings) ->> 'id')::uuid[] as mapping_ids
    from access_requests where id = ${id}`)
}

type Decided = { actor: Actor; source: 'approver' | 'auto'; comment: string | null }
export type Change =
  | ({ event: 'approved' } & Decided)
  | ({ event: 'denied' } & Decided)
  | { event: 'revoked'; actor: Actor; comment: string | null; reason?: string }
  | { event: 'expired' }

async function recordDecision(
  tx: Tx,
  request: LockedRequest,
  change: Decided & { event: 'approved' | 'denied' },
) {
  await tx`insert into decisions ${tx({
    id: randomUUIDv7(),
    request_id: request.id,
    approver_id: change.actor.id,
    decision: change.event,
    source: change.source,
    comment: change.comment,
  })}`
  await tx`update access_requests set decision = ${change.event}, decided_by = ${change.actor.id},
    decided_by_email = ${change.actor.email}, decision_source = ${change.source}, comment = ${change.comment},
    decided_at = ${request.now}, status = ${lifecycle[change.event].to},
    expires_at = case when ${change.event} = 'approved'
      then ${request.now}::timestamptz + requested_duration_mins * interval '1 minute' end,
    ended_at = case when ${change.event} = 'denied' then ${request.now}::timestamptz end
    where id = ${request.id}`
}

/** The grant, its group and its end are one insert: no access exists without its end. */
async function beginGrant(tx: Tx, request: LockedRequest): Promise<{ group_id: string; expires_at: string }> {
  const group_id = randomUUIDv7()
  const { expires_at } = await getRow<{ expires_at: string }>(
    tx`select expires_at from access_requests where id = ${request.id}`,
  )
  await tx`insert into groups (id, kind, name, description, expires_at) values (${group_id}, 'temporary',
    ${`__access_req_${request.id}`}, ${`Temporary access: ${request.template_name}`}, ${expires_at})`
  await tx`insert into group_mappings (group_id, mapping_id)
    select ${group_id}, unnest(${request.mapping_ids}::uuid[])`
  await tx`insert into grants (id, request_id, subject_id, group_id, starts_at, expires_at)
    values (${randomUUIDv7()}, ${request.id}, ${request.subject_id}, ${group_id}, ${request.now}, ${expires_at})`
  return { group_id, expires_at }
}

async function endGrant(tx: Tx, request: LockedRequest, reason: 'revoked' | 'expired'): Promise<void> {
  await tx`with ended as (
      update grants set ended_at = ${request.now}, end_reason = ${reason}
      where request_id = ${request.id} and ended_at is null returning group_id
    ) delete from groups g using ended where g.id = ended.group_id`
}

async function recordEnd(tx: Tx, request: LockedRequest, change: Change & { event: 'revoked' | 'expired' }) {
  const [actor, comment] = change.event === 'revoked' ? [change.actor.id, change.comment] : [null, null]
  await tx`update access_requests set status = ${lifecycle[change.event].to}, ended_at = ${request.now},
    decision = coalesce(decision, 'cancelled'), revoked_by = ${actor}, revoke_comment = ${comment}
    where id = ${request.id}`
  await endGrant(tx, request, change.event)
}

const facts = (request: LockedRequest): { [key: string]: Json } => ({
  request_id: request.id,
  template_name: request.template_name,
  requester_email: request.requester_email,
})

const decider = (change: Decided) => (change.source === 'auto' ? 'auto' : change.actor.id)

async function announce(tx: Tx, request: LockedRequest, change: Change, detail: { [key: string]: Json }) {
  const decided =
    change.event === 'approved' || change.event === 'denied' ? { decided_by: decider(change) } : {}
  await appendAudit(tx, {
    kind: `access_request.${change.event}`,
    actor: change.event === 'expired' ? nobody : change.actor,
    request_id: request.id,
    detail: { from: request.status, to: lifecycle[change.event].to, ...decided, ...detail },
  })
  await enqueueEvent(tx, {
    type: `access_request.${change.event}`,
    request_id: request.id,
    trigger_event: change.event,
    payload: { ...facts(request), ...decided },
  })
}

async function carryOut(tx: Tx, request: LockedRequest, change: Change): Promise<{ [key: string]: Json }> {
  if (change.event === 'approved') {
    await recordDecision(tx, request, change)
    return { ...(await beginGrant(tx, request)), comment: change.comment }
  }
  if (change.event === 'denied') {
    await recordDecision(tx, request, change)
    return { comment: change.comment }
  }
  await recordEnd(tx, request, change)
  if (change.event === 'expired') return {}
  return { cancelled: request.status === 'pending', comment: change.comment, reason: change.reason ?? null }
}

/** What the lifecycle does not allow. The caller checks first; this is the last line. */
class IllegalTransition extends Error {
  override readonly name = 'IllegalTransition'
  constructor(event: LifecycleEvent, status: Status) {
    super(`${event} cannot happen to a request that is ${status}`)
  }
}

/**
 * The one place where a request's status changes: the status, the decision, the grant or its end, the audit event
 * and the outgoing event, in the caller's transaction, which holds the request's row (`lockRequest`).
 * @throws IllegalTransition
 */
export async function transition(tx: Tx, request: LockedRequest, change: Change): Promise<void> {
  if (!mayHappen(change.event, request.status)) throw new IllegalTransition(change.event, request.status)
  const detail = await carryOut(tx, request, change)
  await announce(tx, request, change, detail)
}
