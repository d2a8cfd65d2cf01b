import { goSpelling, type HostFunction, hostApi, logLevels } from './host-api.ts'

const header = `// What scripts can call, as TypeScript sees it. Generated from the table that dispatches the calls: change
// sandbox/host-api.ts, then run its test with --update.
`

const types = `type HttpBody = string | number | boolean | object | null
type HttpOptions = { headers?: Record<string, string> }
type HttpRequest = HttpOptions & { method?: string; url: string; body?: HttpBody }
type PostArguments = [contentType: string, body: HttpBody] | [body?: HttpBody, options?: HttpOptions]
type HttpResponse = { status: number; headers: Record<string, string>; body: string }
type AccessRequest = { id: string; status: string; [field: string]: unknown }
type Approver = { id: string; email: string; Email: string; display_name: string }

/** Logs its arguments as one line at level info. */
type Log = ((...values: unknown[]) => void) & Record<LogLevel, (...values: unknown[]) => void>
`

/** The text of the declaration file that types every module and global of a script. */
export function renderDeclarations(): string {
  const levels = `type LogLevel = ${logLevels.map((level) => `'${level}'`).join(' | ')}\n`
  const modules = Object.entries(hostApi).map(([name, functions]) => renderModule(name, functions))
  return [header, types + levels, ...modules, renderLog()].join('\n')
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
