import type { Status } from '../../domain/lifecycle.ts'
import type { FailureMode } from '../../domain/template.ts'
import { findRow } from '../client.ts'
import type { Db } from '../client.ts'

/** A request as the engine sees it: no text that a person wrote about it. Times are ms since 1970. */
export type EngineView = {
  status: Status
  failure_mode: FailureMode
  script: string | null
  approver_groups: string[]
  escalation_group: string | null
  escalate_at: number | null
  expires_at: number | null
}

export function findEngineView(db: Db, request_id: string): Promise<EngineView | undefined> {
  return findRow<EngineView>(db`
    select r.status, r.trigger_task_failure_mode as failure_mode,
      (select t.name from script_tasks t where t.id = r.trigger_task_id) as script,
      array(select g.name from groups g where g.id = any (r.approver_group_ids)
        or (r.escalated_at is not null and g.id = r.escalation_group_id) order by g.name) as approver_groups,
      (select g.name from groups g where g.id = r.escalation_group_id) as escalation_group,
      case when r.status = 'pending' and r.escalated_at is null
        then extract(epoch from r.escalate_at)::float8 * 1000 end as escalate_at,
      extract(epoch from r.expires_at)::float8 * 1000 as expires_at
    from access_requests r where r.id = ${request_id}`)
}

/** What the engine needs to start a request's workflow: names for its operators. */
export type StartFacts = {
  template_name: string
  app_name: string
  requester_email: string
  subject_name: string
  requested_duration_mins: number
}

export function findStartFacts(db: Db, request_id: string): Promise<StartFacts | undefined> {
  return findRow<StartFacts>(db`
    select template_name, app_name, requester_email, subject_name, requested_duration_mins
    from access_requests where id = ${request_id}`)
}
