import { z } from 'zod'

import { AccessRequestId } from './ids.ts'
import { integrationEvents, triggerEvents } from './lifecycle.ts'
import { recordOf } from './record.ts'
import { refuseSchedule } from './schedule.ts'
import { Run, ScriptTaskInput } from './script-task.ts'
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

/** Without `script` the current version is replayed. */
export const ScriptReplayInput = z
  .strictObject({ script: ScriptTaskInput.shape.script.optional() })
  .meta({ id: 'ScriptReplayInput' })

/** `differences` are unified text from the recorded run to the replay, empty where both are equal. */
export const ScriptReplay = z
  .object({
    run: Run,
    recorded: Run,
    differences: z.object({ result: z.string(), log: z.string(), calls: z.string() }),
  })
  .meta({ id: 'ScriptReplay' })
export type ScriptReplay = z.infer<typeof ScriptReplay>

/** A task, or a draft of one: then `id` is null and `version` 0. */
export type TestedTask = {
  id: string | null
  name: string
  version: number
  code: string
  definition: ScriptTaskInput
}
