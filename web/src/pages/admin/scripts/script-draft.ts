import type { IntegrationEvent } from '../../../../../domain/lifecycle.ts'
import type { ScriptTask } from '../../../../../domain/script-task.ts'
import { linesOf } from '../../../admin/lines.ts'
import type { ScriptTaskFields } from '../../../api/admin-routes.ts'

/** What the form of a script holds: numbers as they are typed. */
export type ScriptDraft = {
  name: string
  script: string
  schedule_type: ScriptTask['schedule_type']
  interval_seconds: string
  cron_expression: string
  timezone: string
  events: IntegrationEvent[]
  max_retries: string
  timeout_seconds: string
  enabled: boolean
  config: { key: string; value: string }[]
  /** One a line. */
  egress_hosts: string
}

const firstScript = [
  "import config from 'config'",
  "import log from 'log'",
  '',
  'export async function run(): Promise<string> {',
  "  log('request', config.get('request_id'), 'is', config.get('request_status'))",
  "  return 'done'",
  '}',
  '',
].join('\n')

export const emptyScript: ScriptDraft = {
  name: '',
  script: firstScript,
  schedule_type: 'once',
  interval_seconds: '3600',
  cron_expression: '0 9 * * MON-FRI',
  timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  events: [],
  max_retries: '3',
  timeout_seconds: '30',
  enabled: true,
  config: [],
  egress_hosts: '',
}

export const draftOfScript = (task: ScriptTask): ScriptDraft => ({
  name: task.name,
  script: task.script,
  schedule_type: task.schedule_type,
  interval_seconds: String(task.interval_seconds ?? emptyScript.interval_seconds),
  cron_expression: task.cron_expression ?? emptyScript.cron_expression,
  timezone: task.timezone ?? (task.schedule_type === 'cron' ? '' : emptyScript.timezone),
  events: task.events,
  max_retries: String(task.max_retries),
  timeout_seconds: String(task.timeout_seconds),
  enabled: task.enabled,
  config: Object.entries(task.config).map(([key, value]) => ({ key, value })),
  egress_hosts: task.egress_hosts.join('\n'),
})

/** What is typed for another kind of schedule is left out. */
function scheduleOf(draft: ScriptDraft) {
  const { schedule_type, interval_seconds, cron_expression, timezone } = draft
  const isCron = schedule_type === 'cron'
  return {
    schedule_type,
    interval_seconds: schedule_type === 'interval' ? Number(interval_seconds) : null,
    cron_expression: isCron ? cron_expression : null,
    timezone: isCron && timezone.trim() !== '' ? timezone.trim() : null,
  }
}

/** The body of a save, or of a test run. */
export const fieldsOf = (draft: ScriptDraft): ScriptTaskFields => ({
  name: draft.name,
  task_type: 'script',
  ...scheduleOf(draft),
  script: draft.script,
  events: draft.events,
  max_retries: Number(draft.max_retries),
  timeout_seconds: Number(draft.timeout_seconds),
  enabled: draft.enabled,
  config: Object.fromEntries(
    draft.config.filter(({ key }) => key.trim() !== '').map(({ key, value }) => [key.trim(), value]),
  ),
  egress_hosts: linesOf(draft.egress_hosts),
})
