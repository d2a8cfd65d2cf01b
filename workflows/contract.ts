import { defineSearchAttributeKey } from '@temporalio/common'
import { defineSignal, defineUpdate } from '@temporalio/workflow'

import type { Status, TriggerEvent } from '../domain/lifecycle.ts'
import type { FailureMode } from '../domain/template.ts'

/** Messages carry ids only: what they mean, and who sent them, is in the database. */
export type CommandMessage = { command_id: string }
export type CommandOutcome = { command_id: string; state: 'applied' | 'rejected'; status: string }

export const approve = defineUpdate<CommandOutcome, [CommandMessage]>('approve')
export const deny = defineUpdate<CommandOutcome, [CommandMessage]>('deny')
export const revoke = defineUpdate<CommandOutcome, [CommandMessage]>('revoke')

/** "Look again": something else than this workflow has changed the request. */
export const poke = defineSignal('poke')

export type AccessRequestInput = { request_id: string }
export type TriggerTaskInput = { event_id: string }
export type DeliveryInput = { delivery_id: string }
export type ScheduledTaskInput = { task_id: string }

/** One time that a schedule fired: `firing_id` is the id of the workflow's run, `scheduled_at` RFC 3339. */
export type Firing = { task_id: string; firing_id: string; scheduled_at: string }

/** How many attempts may be lost with their process before they count. */
export const forgivenLosses = 5

/** Workflow types, as operators read them in the Temporal UI. */
export const workflowTypes = {
  accessRequest: 'accessRequest',
  triggerTask: 'triggerTask',
  integrationDelivery: 'integrationDelivery',
  scheduledTask: 'scheduledTask',
  accessRequestExpiry: 'accessRequestExpiry',
} as const

export const workflowId = (request_id: string): string => `access-request/${request_id}`

export const triggerWorkflowId = (request_id: string, event: TriggerEvent): string =>
  `${workflowId(request_id)}/trigger/${event}`

/** What the ids of the schedules of script tasks begin with; the task's id follows. */
export const taskSchedulePrefix = 'script-task/'

export const expirySchedule = { id: 'access-request-expiry', every: '5 minutes' } as const

/** Block runs and other script runs have queues of their own, so that neither waits behind the other. */
export const queues = (base: string) => ({ core: base, block: `${base}-block`, runs: `${base}-runs` })

export const searchKeys = {
  status: defineSearchAttributeKey('AccessStatus', 'KEYWORD'),
  template: defineSearchAttributeKey('AccessTemplate', 'KEYWORD'),
  application: defineSearchAttributeKey('AccessApplication', 'KEYWORD'),
  requester: defineSearchAttributeKey('AccessRequester', 'KEYWORD'),
  approvers: defineSearchAttributeKey('AccessApprovers', 'KEYWORD_LIST'),
  expiresAt: defineSearchAttributeKey('AccessExpiresAt', 'DATETIME'),
}

/** What has to be registered in the namespace before the first workflow task: a missing one wedges it. */
export const searchAttributes = {
  AccessStatus: 'Keyword',
  AccessTemplate: 'Keyword',
  AccessApplication: 'Keyword',
  AccessRequester: 'Keyword',
  AccessApprovers: 'KeywordList',
  AccessExpiresAt: 'Datetime',
} as const

/** A request as its workflow sees it. Times are ms since 1970; no text that a person wrote about the request. */
export type RequestView = {
  status: Status
  failure_mode: FailureMode
  /** The trigger task's name; null: the template has none. */
  script: string | null
  /** Names of the groups that may decide now; empty: the admins. */
  approver_groups: string[]
  escalation_group: string | null
  /** Null: no escalation, or it has been. */
  escalate_at: number | null
  expires_at: number | null
}

/** How a run beside the request stands: after it failed, another attempt may follow. */
export type RunOutcome = { run_id: string; status: 'succeeded' | 'failed'; ended_by: string }

/** What a workflow that runs a script has to do; null: nothing, the task is gone, disabled or not meant any more. */
export type RunPlan = {
  script: string
  version: number
  attempts: number
  timeout_seconds: number
} | null
