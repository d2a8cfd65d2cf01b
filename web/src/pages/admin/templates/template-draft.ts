import type { CustomField } from '../../../../../domain/custom-fields.ts'
import type { NotificationPolicy } from '../../../../../domain/notification-policy.ts'
import type { FailureMode, Template } from '../../../../../domain/template.ts'
import { linesOf } from '../../../admin/lines.ts'
import type { Routes } from '../../../api/routes.ts'
import { parseDurations, writeDurations } from './duration-text.ts'

/** A question of the template while it is written. `key` tells it apart before the server gives it an id. */
export type FieldDraft = {
  key: string
  id: string | undefined
  label: string
  type: CustomField['type']
  required: boolean
  placeholder: string
  /** One a line. */
  options: string
}

/** What the form of a template holds: numbers as they are typed; an id that is '' is none. */
export type TemplateDraft = {
  name: string
  description: string
  app_id: string
  mapping_ids: string[]
  durations: string
  approver_group_ids: string[]
  allowed_group_ids: string[]
  prefer_requester_groups: boolean
  require_justification: boolean
  auto_approve: boolean
  notification_policy: NotificationPolicy
  notification_count: string
  escalation_after: string
  escalation_group_id: string
  trigger_task_id: string
  trigger_task_failure_mode: FailureMode
  fields: FieldDraft[]
}

export const emptyTemplate: TemplateDraft = {
  name: '',
  description: '',
  app_id: '',
  mapping_ids: [],
  durations: '1h, 4h, 8h',
  approver_group_ids: [],
  allowed_group_ids: [],
  prefer_requester_groups: false,
  require_justification: true,
  auto_approve: false,
  notification_policy: 'all',
  notification_count: '1',
  escalation_after: '',
  escalation_group_id: '',
  trigger_task_id: '',
  trigger_task_failure_mode: 'ignore',
  fields: [],
}

let written = 0
export const newKey = (): string => `field-${++written}`

const fieldDraftOf = ({ id, options, ...field }: CustomField): FieldDraft => ({
  ...field,
  id,
  key: id,
  options: options.join('\n'),
})

export function draftOfTemplate(template: Template): TemplateDraft {
  const { id: _, created_at: _c, updated_at: _u, allowed_durations, custom_fields, ...rest } = template
  return {
    ...rest,
    durations: writeDurations(allowed_durations),
    notification_count: String(rest.notification_count),
    escalation_after: rest.escalation_after_mins === null ? '' : writeDurations([rest.escalation_after_mins]),
    escalation_group_id: rest.escalation_group_id ?? '',
    trigger_task_id: rest.trigger_task_id ?? '',
    fields: custom_fields.map(fieldDraftOf),
  }
}

export const hasOptions = (type: CustomField['type']): boolean => type === 'select' || type === 'multi_select'

const hasPlaceholder = (type: CustomField['type']): boolean => type !== 'multi_select' && type !== 'checkbox'

/** What of a question its type has: what was typed before the type was changed is left out. */
export const fieldOf = ({ id, label, type, required, placeholder, options }: FieldDraft) => ({
  ...(id !== undefined && { id }),
  label,
  type,
  required,
  placeholder: hasPlaceholder(type) ? placeholder : '',
  options: hasOptions(type) ? linesOf(options) : [],
})

type TemplateBody = Routes['POST /access-request-templates']['body']

const orNull = (id: string): string | null => (id === '' ? null : id)

/** The body of a save. What is no number goes as it is, so that the API names the field. */
export function bodyOf(draft: TemplateDraft): TemplateBody {
  const { durations, escalation_after, fields, ...rest } = draft
  const [escalation_after_mins = null] = parseDurations(escalation_after) ?? []
  return {
    ...rest,
    allowed_durations: parseDurations(durations) ?? [],
    notification_count: Number(rest.notification_count),
    escalation_after_mins,
    escalation_group_id: orNull(rest.escalation_group_id),
    trigger_task_id: orNull(rest.trigger_task_id),
    custom_fields: fields.map(fieldOf),
  }
}
