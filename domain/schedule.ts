import { z } from 'zod'

import { CronInvalid, isTimezone, parseCron } from './cron.ts'
import { Text } from './text.ts'

/** When a script task runs by itself. */
export const scheduleFields = {
  schedule_type: z.enum(['once', 'interval', 'cron']).default('once'),
  interval_seconds: z.int().min(10).max(31_536_000).nullable().default(null),
  cron_expression: Text(200).nullable().default(null),
  timezone: Text(100).nullable().default(null),
}

const Schedule = z.object(scheduleFields)
type Schedule = z.infer<typeof Schedule>
type Member = Exclude<keyof Schedule, 'schedule_type'>
type Problem = { member: Member; message: string }

const belongs = { interval_seconds: 'interval', cron_expression: 'cron', timezone: 'cron' } as const

function findCronProblem(text: string): Problem[] {
  try {
    parseCron(text)
    return []
  } catch (error) {
    if (!(error instanceof CronInvalid)) throw error
    return [{ member: 'cron_expression', message: error.message }]
  }
}

/** What is wrong with a schedule: a member that its type needs or does not know, no cron expression, no time zone. */
function findProblems(schedule: Schedule): Problem[] {
  const { schedule_type, interval_seconds, cron_expression, timezone } = schedule
  const strangers = (['interval_seconds', 'cron_expression', 'timezone'] as const)
    .filter((member) => schedule[member] !== null && belongs[member] !== schedule_type)
    .map((member) => ({ member, message: `belongs to schedule_type ${belongs[member]}` }))
  if (strangers.length > 0) return strangers
  if (schedule_type === 'interval' && interval_seconds === null)
    return [{ member: 'interval_seconds', message: 'is needed for schedule_type interval' }]
  if (schedule_type !== 'cron') return []
  if (cron_expression === null)
    return [{ member: 'cron_expression', message: 'is needed for schedule_type cron' }]
  if (timezone !== null && !isTimezone(timezone))
    return [{ member: 'timezone', message: 'is no time zone of the IANA database, such as Europe/London' }]
  return findCronProblem(cron_expression)
}

/** For zod: refuses a schedule that could not be kept, at the member that is wrong. */
export function refuseSchedule(schedule: Schedule, context: z.RefinementCtx): void {
  for (const { member, message } of findProblems(schedule))
    context.addIssue({ code: 'custom', path: [member], message })
}
