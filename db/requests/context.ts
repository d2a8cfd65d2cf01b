import type { BlockRun, RequestAction } from '../../domain/access-request.ts'
import type { CustomField } from '../../domain/custom-fields.ts'
import { mayHappen } from '../../domain/lifecycle.ts'
import type { EarlierRequest, RequestRun } from '../../domain/request-context.ts'
import { findRow, getRow, rows } from '../client.ts'
import type { Db } from '../client.ts'
import type { Caller } from '../directory/caller.ts'
import { holds } from '../directory/caller.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'
import { isEligibleApprover } from './approvers.ts'
import { mayRevoke } from './decide.ts'
import { isParty } from './find.ts'
import type { StoredRequest } from './find.ts'

/** Whoever decides requests of this kind, or reads the audit: they see how its scripts fared, and what was asked before. */
export async function mayJudge(db: Db, request: { id: string }, caller: Caller): Promise<boolean> {
  return holds(caller, 'audit.read') || (await isEligibleApprover(db, request.id, caller.id))
}

/** What the caller can do with a request now; the API refuses everything else. */
export async function findActions(db: Db, request: StoredRequest, caller: Caller): Promise<RequestAction[]> {
  const isApprover = await isEligibleApprover(db, request.id, caller.id)
  const actions: RequestAction[] = []
  if (isApprover && mayHappen('approved', request.status)) actions.push('approve', 'deny')
  if (mayHappen('revoked', request.status) && (await mayRevoke(db, request, caller))) actions.push('revoke')
  if (isApprover || (await isParty(db, request, caller))) actions.push('post_message')
  return actions
}

/** The block script that an approval of this request waits for now. */
export function findBlockRun(db: Db, request_id: string): Promise<BlockRun | undefined> {
  return findRow<BlockRun>(db`
    select c.run_id, t.name as task_name, c.actor_email as approver_email, c.run_deadline as deadline,
      c.run_deadline - interval '30 seconds' as started_at
    from commands c
    join access_requests r on r.id = c.request_id
    join script_tasks t on t.id = r.trigger_task_id
    where c.request_id = ${request_id} and c.kind in ('approve', 'auto_approve') and c.state = 'queued'
      and c.run_deadline > clock_timestamp()
    order by c.id limit 1`)
}

export type Terms = {
  custom_fields: CustomField[]
  approver_groups: string[]
  escalate_at: string | null
  escalation_group: string | null
}

/** Under what a request was submitted, with the names of today; groups that are gone are left out. */
export function getTerms(db: Db, request_id: string): Promise<Terms> {
  return getRow<Terms>(db`
    select r.snapshot -> 'custom_fields' as custom_fields, r.escalate_at,
      (select g.name from groups g where g.id = r.escalation_group_id) as escalation_group,
      array(select g.name from unnest(r.approver_group_ids) with ordinality as o (id, ordinality)
            join groups g on g.id = o.id order by o.ordinality) as approver_groups
    from access_requests r where r.id = ${request_id}`)
}

/** What the same person asked for before, or was asked for the same subject; newest first. */
export async function listEarlier(
  db: Db,
  request: StoredRequest,
  page: PageRequest,
): Promise<Page<EarlierRequest>> {
  const found = await rows<EarlierRequest>(db`
    select id, status, decision, template_name, app_name, requested_duration_mins, created_at, decided_at, ended_at
    from access_requests
    where (requester_id = ${request.requester_id} or subject_id = ${request.subject_id}) and id < ${request.id}
      and (${page.after}::uuid is null or id < ${page.after})
    order by id desc limit ${page.limit + 1}`)
  return toPage('earlier', page, found)
}

/** The runs of a request's scripts, newest first; `with_log`: with what they wrote. */
export async function listRequestRuns(
  db: Db,
  { request_id, with_log }: { request_id: string; with_log: boolean },
  page: PageRequest,
): Promise<Page<RequestRun>> {
  const found = await rows<RequestRun>(db`
    select id, task_name, version, trigger, attempt, status, ended_by, started_at, duration_ms, error,
      case when ${with_log} then result end as result, case when ${with_log} then log end as log
    from script_runs
    where request_id = ${request_id} and (${page.after}::uuid is null or id < ${page.after})
    order by id desc limit ${page.limit + 1}`)
  return toPage('request-runs', page, found)
}
