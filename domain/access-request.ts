import { z } from 'zod'

import { CustomAnswers, CustomField } from './custom-fields.ts'
import { privilegeLevels } from './directory.ts'
import { AccessRequestId, ApplicationId, IdentityId, MappingId, TemplateId } from './ids.ts'
import { statuses } from './lifecycle.ts'
import { Instant, Text } from './text.ts'

/** A submission. The order in which its rules are checked is `db/submit.ts`. */
export const SubmissionInput = z
  .strictObject({
    template_id: TemplateId,
    requested_duration_mins: z.int(),
    justification: Text(10_000).default(''),
    custom_answers: CustomAnswers.default({}),
    subject_id: IdentityId.optional(),
    ticket: Text(500).optional(),
  })
  .meta({ id: 'SubmissionInput' })
export type SubmissionInput = z.infer<typeof SubmissionInput>

export const DecisionInput = z.strictObject({ comment: Text(4_000).optional() }).meta({ id: 'DecisionInput' })
export type DecisionInput = z.infer<typeof DecisionInput>

export const GrantedMapping = z
  .object({
    id: MappingId,
    name: z.string(),
    claim: z.string(),
    value: z.string(),
    privilege_level: z.enum(privilegeLevels),
  })
  .meta({ id: 'GrantedMapping' })

const TimelineEntry = z
  .object({
    at: Instant,
    kind: z.string(),
    actor_id: z.string().nullable(),
    actor_email: z.string().nullable(),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'TimelineEntry' })

/** A request as lists give it. Ids that are null: nobody, or deleted since. */
export const AccessRequest = z
  .object({
    id: AccessRequestId,
    status: z.enum(statuses),
    decision: z.enum(['approved', 'denied', 'cancelled']).nullable(),
    template_id: TemplateId.nullable(),
    template_name: z.string(),
    template_deleted: z.boolean(),
    app_id: ApplicationId,
    app_name: z.string(),
    mappings: z.array(GrantedMapping),
    requester_id: IdentityId,
    requester_email: z.string(),
    requester_name: z.string(),
    subject_id: IdentityId,
    subject_name: z.string(),
    requested_duration_mins: z.int(),
    justification: z.string(),
    custom_answers: CustomAnswers,
    ticket: z.string().nullable(),
    notified_approvers: z.array(z.string()),
    decided_by: IdentityId.nullable(),
    decided_by_email: z.string().nullable(),
    decision_source: z.enum(['approver', 'auto']).nullable(),
    comment: z.string().nullable(),
    revoked_by: IdentityId.nullable(),
    revoke_comment: z.string().nullable(),
    created_at: Instant,
    escalated_at: Instant.nullable(),
    decided_at: Instant.nullable(),
    expires_at: Instant.nullable(),
    ended_at: Instant.nullable(),
    workflow_url: z.string().nullable(),
  })
  .meta({ id: 'AccessRequest' })
export type AccessRequest = z.infer<typeof AccessRequest>

/** What somebody can do with a request now. */
export const requestActions = ['approve', 'deny', 'revoke', 'post_message'] as const
export type RequestAction = (typeof requestActions)[number]

/** The block script that an approval waits for. `approver_email` is null where it is automatic. */
export const BlockRun = z
  .object({
    run_id: z.string(),
    task_name: z.string(),
    approver_email: z.string().nullable(),
    started_at: Instant,
    deadline: Instant,
  })
  .meta({ id: 'BlockRun' })
export type BlockRun = z.infer<typeof BlockRun>

/** A single request also carries everything that happened to it, oldest first, and what the caller can do with it. */
export const AccessRequestDetail = AccessRequest.extend({
  timeline: z.array(TimelineEntry),
  custom_fields: z.array(CustomField).describe('As they were when the request was submitted'),
  approver_groups: z.array(z.string()).describe('Empty: the admins decide'),
  escalate_at: Instant.nullable(),
  escalation_group: z.string().nullable(),
  actions: z.array(z.enum(requestActions)).describe('What the caller can do with it now'),
  block_run: BlockRun.nullable(),
}).meta({
  id: 'AccessRequestDetail',
})
export type AccessRequestDetail = z.infer<typeof AccessRequestDetail>

export const Message = z
  .object({
    id: z.uuid(),
    author_id: IdentityId,
    author_email: z.string(),
    body: z.string(),
    created_at: Instant,
  })
  .meta({ id: 'Message' })
export type Message = z.infer<typeof Message>

export const MessageInput = z
  .strictObject({ body: Text(10_000).refine((body) => body.trim() !== '', 'must not be blank') })
  .meta({ id: 'MessageInput' })

/** What became of a command that was answered 202. */
export const Command = z
  .object({
    id: z.uuid(),
    kind: z.string(),
    state: z.enum(['queued', 'applied', 'rejected']),
    result: z.record(z.string(), z.unknown()).nullable(),
    problem: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'Command' })
export type Command = z.infer<typeof Command>
