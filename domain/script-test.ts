import { z } from 'zod'

import { AccessRequestId } from './ids.ts'
import { integrationEvents, triggerEvents } from './lifecycle.ts'
import { recordOf } from './record.ts'
import { refuseSchedule } from './schedule.ts'
import { ScriptTaskInput } from './script-task.ts'
import { Name, Text } from './text.ts'

/** The events that a test run can be told of; their values are invented where no request is named. */
export const sampleEvents = [...triggerEvents, ...integrationEvents] as const
export type SampleEvent = (typeof sampleEvents)[number]

const fields = {
  /** Adds to what the script is told, or stands for it. */
  event: recordOf(Text(200), Text(10_000)).optional(),
  request_id: AccessRequestId.optional(),
  sample: z.enum(sampleEvents).optional(),
  /** Outward calls are written down and not made, unless this is true. */
  make_calls: z.boolean().default(false),
}

/** What a saved task is tried on: a sample event, or the facts of a real request. */
export const ScriptTestInput = z.strictObject(fields).meta({ id: 'ScriptTestInput' })
export type ScriptTestInput = z.infer<typeof ScriptTestInput>

/** The same for a task that is not saved. */
export const ScriptDraftTestInput = z
  .strictObject({ ...ScriptTaskInput.shape, name: Name.default('draft'), ...fields })
  .superRefine(refuseSchedule)
  .meta({ id: 'ScriptDraftTestInput' })
export type ScriptDraftTestInput = z.infer<typeof ScriptDraftTestInput>

/** A task, or a draft of one: then `id` is null and `version` 0. */
export type TestedTask = {
  id: string | null
  name: string
  version: number
  code: string
  definition: ScriptTaskInput
}
