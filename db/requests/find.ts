import type { AccessRequest, AccessRequestDetail } from '../../domain/access-request.ts'
import type { Status } from '../../domain/lifecycle.ts'
import { findRow, rows } from '../client.ts'
import type { Db } from '../client.ts'
import type { Caller } from '../directory/caller.ts'
import { holds } from '../directory/caller.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'
import { hasOwnInterest, isEligibleApprover } from './approvers.ts'

type HasId = { id: string }

/** A request as it is stored; the API adds the address of its workflow. */
export type StoredRequest = Omit<AccessRequest, 'workflow_url'>

const columns = (db: Db) => db`r.id, r.status, r.decision, r.template_id, r.template_name,
  r.template_id is null as template_deleted, r.app_id, r.app_name, r.mappings, r.requester_id, r.requester_email,
  r.requester_name, r.subject_id, r.subject_name, r.requested_duration_mins, r.justification, r.custom_answers,
  r.ticket, array(select n.email from notifications n where n.request_id = r.id order by n.position)
  as notified_approvers, r.decided_by, r.decided_by_email, r.decision_source, r.comment, r.revoked_by,
  r.revoke_comment, r.created_at, r.escalated_at, r.decided_at, r.expires_at, r.ended_at`

export function findRequest(db: Db, id: string): Promise<StoredRequest | undefined> {
  return findRow<StoredRequest>(db`select ${columns(db)} from access_requests r where r.id = ${id}`)
}

/** Requester, subject, its owner, whoever may decide it now, and who reads the audit. */
export async function maySee(db: Db, request: HasId, caller: Caller): Promise<boolean> {
  if (holds(caller, 'audit.read')) return true
  return (await isParty(db, request, caller)) || isEligibleApprover(db, request.id, caller.id)
}

/** Requester, subject or the subject's owner: the request is theirs, though none of them decides it. */
export async function isParty(db: Db, { id }: HasId, caller: Caller): Promise<boolean> {
  const row = await findRow(db`
    select 1 from access_requests r join identities s on s.id = r.subject_id
    where r.id = ${id} and ${caller.id} in (r.requester_id, r.subject_id, s.owner_id)`)
  return row !== undefined
}

/** Those who may not decide although they may see, e.g. a delegate who is in the approver group. */
export const isOwn = (db: Db, { id }: HasId, caller: Caller): Promise<boolean> =>
  hasOwnInterest(db, id, caller.id)

export async function listMine(
  db: Db,
  caller: Caller,
  { status = null, ...page }: PageRequest & { status?: Status | null | undefined },
): Promise<Page<StoredRequest>> {
  const found = await rows<StoredRequest>(db`
    select ${columns(db)} from access_requests r
    where ${caller.id} in (r.requester_id, r.subject_id) and (${page.after}::uuid is null or r.id < ${page.after})
      and (${status}::text is null or r.status = ${status})
    order by r.id desc limit ${page.limit + 1}`)
  return toPage('access-requests', page, found)
}

/** Pending requests that the caller may decide now, oldest first. */
export async function listAwaiting(db: Db, caller: Caller, page: PageRequest): Promise<Page<StoredRequest>> {
  const found = await rows<StoredRequest>(db`
    select ${columns(db)} from access_requests r
    where r.status = 'pending' and (${page.after}::uuid is null or r.id > ${page.after})
      and exists (select from eligible_approvers(r) e where e.identity_id = ${caller.id})
    order by r.id limit ${page.limit + 1}`)
  return toPage('pending', page, found)
}

export type RequestFilter = {
  status?: Status | undefined
  template_id?: string | undefined
  requester?: string | undefined
  /** Access that was held in this time, or in part of it. */
  held_from?: string | undefined
  held_until?: string | undefined
}

const escapeLike = (text: string) => text.replaceAll(/[\\%_]/g, String.raw`\$&`)

export async function listAll(
  db: Db,
  filter: RequestFilter,
  page: PageRequest,
): Promise<Page<StoredRequest>> {
  const { status = null, template_id = null, requester = null, held_from = null, held_until = null } = filter
  const pattern = requester === null ? null : `%${escapeLike(requester)}%`
  const found = await rows<StoredRequest>(db`
    select ${columns(db)} from access_requests r
    where (${page.after}::uuid is null or r.id < ${page.after})
      and (${status}::text is null or r.status = ${status})
      and (${template_id}::uuid is null or r.template_id = ${template_id})
      and (${pattern}::text is null or r.requester_email ilike ${pattern})
      and (${held_from}::timestamptz is null
        or r.decision = 'approved' and coalesce(r.ended_at, r.expires_at) > ${held_from})
      and (${held_until}::timestamptz is null or r.decision = 'approved' and r.decided_at < ${held_until})
    order by r.id desc limit ${page.limit + 1}`)
  return toPage('all', page, found)
}

type Entry = AccessRequestDetail['timeline'][number]

/** So many of the latest tokens are told of; what they say beside their end is no business of this request. */
const shownTokens = 50
const shownRuns = 500

/** Everything that happened to a request, oldest first: its audit events, its latest script runs and tokens. */
export async function listTimeline(db: Db, request_id: string): Promise<Entry[]> {
  return rows<Entry>(db`
    with tokens as (
      select at, seq, actor_id, actor_email, detail from audit_events
      where kind = 'token.issued' and detail -> 'request_ids' ? ${request_id} order by seq desc limit ${shownTokens}
    ), runs as (
      select * from script_runs where request_id = ${request_id} order by id desc limit ${shownRuns}
    )
    select at, kind, actor_id, actor_email, detail from (
      select at, seq, regexp_replace(kind, '^access_request\\.', '') as kind, actor_id, actor_email, detail
      from audit_events where request_id = ${request_id}
      union all
      select at, seq, 'token.issued', actor_id, actor_email,
        jsonb_build_object('jti', detail -> 'jti', 'aud', detail -> 'aud', 'exp', detail -> 'exp') from tokens
      union all
      select started_at, 9223372036854775807, 'trigger_run', null, null, jsonb_build_object('run_id', id,
        'task_name', task_name, 'version', version, 'trigger', trigger, 'attempt', attempt, 'status', status,
        'ended_by', ended_by, 'duration_ms', duration_ms, 'message', error ->> 'message')
      from runs
    ) entries order by at, seq`)
}
