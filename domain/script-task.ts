import { z } from 'zod'

import { EgressHosts } from './egress-host.ts'
import { integrationEvents } from './lifecycle.ts'
import { AccessRequestId, RunId, ScriptTaskId } from './ids.ts'
import { recordOf } from './record.ts'
import { Call } from './script-call.ts'
import { refuseSchedule, scheduleFields } from './schedule.ts'
import { Instant, Name, Text } from './text.ts'

const fields = {
  name: Name,
  task_type: z.literal('script').default('script'),
  ...scheduleFields,
  script: Text(262_144).min(1),
  events: z
    .array(z.enum(integrationEvents))
    .refine((events) => new Set(events).size === events.length, 'names an event twice')
    .default([]),
  max_retries: z.int().min(0).max(100).default(3),
  timeout_seconds: z.int().min(1).max(300).default(30),
  enabled: z.boolean().default(true),
  config: recordOf(Text(200).min(1), Text(10_000)).default({}),
  egress_hosts: EgressHosts.default([]),
}

/** What an admin sends to create or replace a script task. */
export const ScriptTaskInput = z
  .strictObject(fields)
  .superRefine(refuseSchedule)
  .meta({ id: 'ScriptTaskInput' })
export type ScriptTaskInput = z.infer<typeof ScriptTaskInput>

export const ScriptTask = z
  .object({
    id: ScriptTaskId,
    ...fields,
    version: z.int(),
    /** Why the product itself has disabled it; null: it has not. */
    disabled_reason: z.string().nullable(),
    created_at: Instant,
    updated_at: Instant,
  })
  .meta({ id: 'ScriptTask' })
export type ScriptTask = z.infer<typeof ScriptTask>

export const ScriptTaskVersion = ScriptTask.omit({ id: true, updated_at: true, disabled_reason: true })
  .extend({ task_id: ScriptTaskId, created_by: z.string().nullable() })
  .meta({ id: 'ScriptTaskVersion' })
export type ScriptTaskVersion = z.infer<typeof ScriptTaskVersion>

/** How a version differs from another: `script` is unified text, empty where the scripts are equal. */
export const ScriptTaskDiff = z
  .object({
    task_id: ScriptTaskId,
    version: z.int(),
    /** Null: compared with nothing. */
    against: z.int().nullable(),
    script: z.string(),
    settings: z.array(z.object({ name: z.string(), from: z.unknown(), to: z.unknown() })),
  })
  .meta({ id: 'ScriptTaskDiff' })
export type ScriptTaskDiff = z.infer<typeof ScriptTaskDiff>

/** Starts a run by hand: on the facts of a request, on an invented event, or on nothing. */
export const RunInput = z
  .strictObject({
    event: recordOf(Text(200), Text(10_000)).optional(),
    request_id: AccessRequestId.optional(),
  })
  .meta({ id: 'RunInput' })

export const RunError = z.object({
  message: z.string(),
  line: z.int().nullable(),
  column: z.int().nullable(),
})
export type RunError = z.infer<typeof RunError>

/** One attempt of a script. `ended_by` names how it ended; `line` and `column` are the author's, from 1. */
export const Run = z
  .object({
    id: RunId,
    task_id: ScriptTaskId.nullable(),
    task_name: z.string(),
    version: z.int(),
    trigger: z.string(),
    request_id: AccessRequestId.nullable(),
    event_id: z.string().nullable(),
    attempt: z.int(),
    status: z.enum(['running', 'succeeded', 'failed']),
    ended_by: z.string().nullable(),
    started_at: Instant,
    duration_ms: z.int().nullable(),
    cpu_ms: z.int().nullable(),
    result: z.string().nullable(),
    log: z.array(z.object({ at_ms: z.number(), level: z.string(), text: z.string() })),
    error: RunError.nullable(),
    calls: z.array(Call),
  })
  .meta({ id: 'Run' })
export type Run = z.infer<typeof Run>
