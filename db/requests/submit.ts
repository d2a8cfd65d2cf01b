import type { PendingQuery } from 'postgres'

import { refuseAnswers } from '../../domain/custom-fields.ts'
import { DomainError } from '../../domain/errors.ts'
import type { SubmissionInput } from '../../domain/access-request.ts'
import type { Template } from '../../domain/template.ts'
import { appendAudit } from '../audit.ts'
import { findRow, getRow, rows, transaction, violates } from '../client.ts'
import type { Sql, Tx } from '../client.ts'
import { findCaller } from '../directory/caller.ts'
import type { Caller } from '../directory/caller.ts'
import { enqueueEvent } from '../outbox.ts'
import { readTemplate } from '../templates.ts'
import { queueCommand } from './commands.ts'
import { noteIfNobodyMayDecide, notifyApprovers } from './notify.ts'

export type Submission = { id: string; input: SubmissionInput; caller: Caller; max_duration_mins: number }
export type Submitted = { request_id: string; command_id: string }

type Subject = { id: string; display_name: string }

/** Held until the submission is written, so that whoever disables one of them meanwhile finds it and revokes it. */
async function holdIdentities(tx: Tx, { input, caller }: Submission): Promise<void> {
  const ids = [caller.id, input.subject_id ?? caller.id]
  await tx`select from identities where id = any (${ids}::uuid[]) order by id for share`
  if (await findCaller(tx, caller.id)) return
  throw new DomainError('unauthenticated', 'This identity is disabled or has expired.')
}

async function assertMayRequest(tx: Tx, caller: Caller, template: Template): Promise<void> {
  if (template.allowed_group_ids.length === 0) return
  const member = await findRow(tx`
    select 1 from active_groups(${caller.id}, clock_timestamp())
    where group_id = any (${template.allowed_group_ids}::uuid[])`)
  if (member === undefined) {
    throw new DomainError('requester_not_allowed', 'You are not in a group that may ask for this access.')
  }
}

/** The caller, or an active NHI that the caller owns or is a delegate of. */
async function getSubject(tx: Tx, { input, caller }: Submission): Promise<Subject> {
  const wanted = input.subject_id ?? caller.id
  if (wanted === caller.id) return caller
  const subject = await findRow<Subject>(tx`
    select id, display_name from identities i
    where id = ${wanted} and kind <> 'human' and status = 'active'
      and (expires_at is null or expires_at > clock_timestamp())
      and (owner_id = ${caller.id} or exists (
        select from identity_delegates d where d.identity_id = i.id and d.delegate_id = ${caller.id}))`)
  if (subject) return subject
  throw new DomainError(
    'subject_not_allowed',
    'You can ask for yourself, or for an active non-human identity that you own or are a delegate of.',
  )
}

function assertDuration({ input, max_duration_mins }: Submission, allowed: readonly number[]): void {
  const asked = input.requested_duration_mins
  const isAllowed = allowed.length > 0 ? allowed.includes(asked) : asked >= 1 && asked <= max_duration_mins
  if (isAllowed) return
  const choice = allowed.length > 0 ? `one of ${allowed.join(', ')}` : `from 1 to ${max_duration_mins}`
  throw new DomainError('duration_not_allowed', `The duration must be ${choice} minutes, not ${asked}.`, {
    errors: [{ pointer: '/requested_duration_mins', detail: `must be ${choice}` }],
  })
}

function assertReasons({ input }: Submission, template: Template): void {
  if (template.require_justification && input.justification.trim() === '') {
    throw new DomainError('justification_required', 'This template asks for a justification.', {
      errors: [{ pointer: '/justification', detail: 'must not be blank' }],
    })
  }
  const errors = refuseAnswers(template.custom_fields, input.custom_answers)
  if (errors.length === 0) return
  throw new DomainError('invalid_custom_answers', errors.map(({ detail }) => detail).join('; '), { errors })
}

async function insertRequest(
  tx: Tx,
  submission: Submission,
  template: Template,
  subject: Subject,
): Promise<boolean> {
  const { id, input, caller } = submission
  // Held, so that the claims in the snapshot are those that the grant will carry.
  await tx`select from app_mappings where id = any (${template.mapping_ids}::uuid[]) order by id for share`
  const inserted = await rows(tx`
    insert into access_requests (id, template_id, template_name, app_id, app_name, mappings, snapshot,
      requester_id, requester_email, requester_name, subject_id, subject_name, requested_duration_mins,
      justification, custom_answers, ticket, approver_group_ids, escalation_group_id, escalate_at,
      trigger_task_id, trigger_task_failure_mode)
    select ${id}, ${template.id}, ${template.name}, a.id, a.name,
      coalesce((select jsonb_agg(jsonb_build_object('id', m.id, 'name', m.name, 'claim', m.claim,
          'value', m.value, 'privilege_level', m.privilege_level) order by o.ordinality)
        from unnest(${template.mapping_ids}::uuid[]) with ordinality as o (id, ordinality)
        join app_mappings m on m.id = o.id), '[]'),
      ${tx.json(template)}, ${caller.id}, ${caller.email}, ${caller.display_name}, ${subject.id},
      ${subject.display_name}, ${input.requested_duration_mins}, ${input.justification},
      ${tx.json(input.custom_answers as never)}, ${input.ticket ?? null}, ${template.approver_group_ids}::uuid[],
      ${template.escalation_group_id}, now() + ${template.escalation_after_mins}::int * interval '1 minute',
      ${template.trigger_task_id}, ${template.trigger_task_failure_mode}
    from applications a where a.id = ${template.app_id}
    on conflict (id) do nothing returning id`)
  return inserted.length > 0
}

async function announce(tx: Tx, { id, input, caller }: Submission, template: Template, notified: string[]) {
  await appendAudit(tx, {
    kind: 'access_request.submitted',
    actor: caller,
    request_id: id,
    detail: {
      to: 'pending',
      template_id: template.id,
      subject_id: input.subject_id ?? caller.id,
      requested_duration_mins: input.requested_duration_mins,
      notified_approvers: notified,
    },
  })
  await enqueueEvent(tx, {
    type: 'access_request.submitted',
    request_id: id,
    trigger_event: 'created',
    payload: {
      request_id: id,
      template_name: template.name,
      requester_email: caller.email,
      notified_approvers: notified,
    },
  })
}

/** What a submission has begun. */
const startOf = (tx: Tx, request_id: string): PendingQuery<readonly (object | undefined)[]> => tx`
  select request_id, id as command_id from commands
  where request_id = ${request_id} and kind in ('start', 'auto_approve')`

async function insertSubmission(tx: Tx, submission: Submission): Promise<Submitted> {
  const { id, input, caller } = submission
  await holdIdentities(tx, submission)
  const known = await findRow<Submitted>(startOf(tx, id))
  if (known) return known
  const template = await readTemplate(tx, input.template_id, 'for share')
  if (template === undefined) throw new DomainError('not_found', 'There is no such template.')
  await assertMayRequest(tx, caller, template)
  const subject = await getSubject(tx, submission)
  assertDuration(submission, template.allowed_durations)
  assertReasons(submission, template)
  if (!(await insertRequest(tx, submission, template, subject))) return getRow<Submitted>(startOf(tx, id))
  const notified = template.auto_approve ? [] : await notifyApprovers(tx, id)
  await announce(tx, submission, template, notified)
  if (!template.auto_approve) await noteIfNobodyMayDecide(tx, id)
  const kind = template.auto_approve ? 'auto_approve' : 'start'
  const is_blocking = template.auto_approve && template.trigger_task_failure_mode === 'block'
  return { request_id: id, command_id: await queueCommand(tx, { kind, request_id: id, is_blocking }) }
}

/**
 * Writes a submission: the request with its snapshot of the template, whom it tells, its audit event, its outgoing
 * event and the command that starts its workflow, in one transaction. The same id twice is the same submission, whatever
 * has changed since.
 * @throws DomainError in the order in which the rules are checked here
 */
export async function submitRequest(sql: Sql, submission: Submission): Promise<Submitted> {
  try {
    return await transaction(sql, (tx) => insertSubmission(tx, submission))
  } catch (error) {
    if (!violates(error, 'access_requests_one_pending')) throw error
    throw new DomainError(
      'pending_request_exists',
      'A request for this template is already pending: wait for its decision or cancel it.',
    )
  }
}
