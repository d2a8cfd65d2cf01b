import { z } from 'zod'

import { CustomField, CustomFieldInputs } from './custom-fields.ts'
import { ApplicationId, GroupId, MappingId, ScriptTaskId, TemplateId } from './ids.ts'
import { notificationPolicies } from './notification-policy.ts'
import { Instant, Name, Text } from './text.ts'

export const failureModes = ['ignore', 'retry', 'block'] as const
export type FailureMode = (typeof failureModes)[number]

/** PostgreSQL's `integer`. */
const Count = z.int().min(1).max(2_147_483_647)

/** Minutes, at most ten years: as much as an operator can set for MAX_DURATION_MINS. */
const Duration = z.int().min(1).max(5_256_000)

const distinct = <Item extends z.ZodType>(item: Item, max: number) =>
  z
    .array(item)
    .max(max)
    .refine((values) => new Set(values).size === values.length, 'entries must be distinct')

const fields = {
  name: Name,
  description: Text(5_000).default(''),
  app_id: ApplicationId,
  mapping_ids: distinct(MappingId, 200).default([]),
  allowed_durations: distinct(Duration, 100).default([]),
  approver_group_ids: distinct(GroupId, 100).default([]),
  allowed_group_ids: distinct(GroupId, 100).default([]),
  prefer_requester_groups: z.boolean().default(false),
  require_justification: z.boolean().default(true),
  auto_approve: z.boolean().default(false),
  notification_policy: z.enum(notificationPolicies).default('all'),
  notification_count: Count.default(1),
  escalation_after_mins: Count.max(525_600).nullable().default(null),
  escalation_group_id: GroupId.nullable().default(null),
  trigger_task_id: ScriptTaskId.nullable().default(null),
  trigger_task_failure_mode: z.enum(failureModes).default('ignore'),
}

/** What an admin sends to create or replace a template. Durations are minutes. */
export const TemplateInput = z
  .strictObject({ ...fields, custom_fields: CustomFieldInputs.default([]) })
  .refine((it) => (it.escalation_after_mins === null) === (it.escalation_group_id === null), {
    path: ['escalation_group_id'],
    message: 'escalation_after_mins and escalation_group_id go together: both or neither',
  })
  .refine((it) => it.trigger_task_failure_mode !== 'block' || it.trigger_task_id !== null, {
    path: ['trigger_task_failure_mode'],
    message: 'block needs a trigger_task_id: without one nothing could ever let an approval pass',
  })
  .meta({ id: 'TemplateInput' })
export type TemplateInput = z.infer<typeof TemplateInput>

export const Template = z
  .object({
    id: TemplateId,
    ...fields,
    custom_fields: z.array(CustomField),
    created_at: Instant,
    updated_at: Instant,
  })
  .meta({ id: 'Template' })
export type Template = z.infer<typeof Template>
