import { goSpelling, type HostFunction, hostApi, logLevels } from './host-api.ts'

const header = `// What scripts can call, as TypeScript sees it. Generated from the table that dispatches the calls: change
// sandbox/host-api.ts, then run its test with --update.
`

const types = `type HttpBody = string | number | boolean | object | null
type HttpOptions = { headers?: Record<string, string> }
type HttpRequest = HttpOptions & { method?: string; url: string; body?: HttpBody }
type PostArguments = [contentType: string, body: HttpBody] | [body?: HttpBody, options?: HttpOptions]
type HttpResponse = { status: number; headers: Record<string, string>; body: string }
type AccessRequest = {
  id: string
  status: string
  decision: string | null
  template_id: string | null
  template_name: string
  app_id: string
  app_name: string
  mappings: Record<string, unknown>[]
  requester_id: string
  requester_email: string
  requester_name: string
  subject_id: string
  subject_name: string
  requested_duration_mins: number
  justification: string
  ticket: string | null
  notified_approvers: string[]
  decided_by: string | null
  created_at: string
  decided_at: string | null
  expires_at: string | null
  ended_at: string | null
}
type Approver = { id: string; email: string; Email: string; display_name: string }

/** Logs its arguments as one line at level info. */
type Log = ((...values: unknown[]) => void) & Record<LogLevel, (...values: unknown[]) => void>
`

/** What an event of an access request, or a clock, tells; a task may have keys of its own. */
const configKeys = [
  'trigger_event',
  'request_id',
  'request_status',
  'template_id',
  'template_name',
  'app_id',
  'app_name',
  'requester_id',
  'requester_email',
  'requester_name',
  'justification',
  'subject_id',
  'subject_name',
  'requested_duration_mins',
  'expires_at',
  'decided_by',
  'comment',
  'cancelled',
  'scheduled_at',
  'open_grants',
  'open_grants_total',
]

const renderConfigKeys = () => `
/** What an event of an access request tells, custom fields by their label; what a clock tells; or a key of the task's own. */
type ConfigKey =
${configKeys.map((key) => `  | '${key}'`).join('\n')}
  | \`custom_answers.\${string}\`
  | \`event.\${string}\`
  | (string & {})
`

/** The text of the declaration file that types every module and global of a script. */
export function renderDeclarations(): string {
  const levels = `type LogLevel = ${logLevels.map((level) => `'${level}'`).join(' | ')}\n`
  const modules = Object.entries(hostApi).map(([name, functions]) => renderModule(name, functions))
  return [header, types + levels + renderConfigKeys(), ...modules, renderLog()].join('\n')
}

function renderModule(name: string, functions: Record<string, HostFunction>): string {
  const type = `${goSpelling(name)}Module`
  const both = Object.entries(functions).flatMap(([each, entry]) => [
    renderMethod(each, entry),
    renderMethod(goSpelling(each), entry),
  ])
  const names = Object.keys(functions).flatMap((each) => [each, goSpelling(each)])
  return `interface ${type} {\n${both.join('\n')}\n}\n${renderExports(name, type, names)}`
}

const renderMethod = (name: string, { doc, parameters, returns }: HostFunction) =>
  `  /** ${doc} */\n  ${name}(${parameters}): ${returns}`

const renderExports = (
  name: string,
  type: string,
  names: readonly string[],
) => `declare const ${name}: ${type}
declare module '${name}' {
  const module: ${type}
  export default module
${names.map((each) => `  export const ${each}: ${type}['${each}']`).join('\n')}
}
`

const renderLog = () => `${renderExports('log', 'Log', logLevels)}declare const console: Log & { log: Log }\n`
