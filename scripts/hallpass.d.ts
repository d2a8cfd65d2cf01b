// What scripts can call, as TypeScript sees it. Generated from the table that dispatches the calls: change
// sandbox/host-api.ts, then run its test with --update.

type HttpBody = string | number | boolean | object | null
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
type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What an event of an access request tells, custom fields by their label; what a clock tells; or a key of the task's own. */
type ConfigKey =
  | 'trigger_event'
  | 'request_id'
  | 'request_status'
  | 'template_id'
  | 'template_name'
  | 'app_id'
  | 'app_name'
  | 'requester_id'
  | 'requester_email'
  | 'requester_name'
  | 'justification'
  | 'subject_id'
  | 'subject_name'
  | 'requested_duration_mins'
  | 'expires_at'
  | 'decided_by'
  | 'comment'
  | 'cancelled'
  | 'scheduled_at'
  | 'open_grants'
  | 'open_grants_total'
  | `custom_answers.${string}`
  | `event.${string}`
  | (string & {})

interface ConfigModule {
  /** The value of a config key of this run; "" for an unknown key. */
  get(key: ConfigKey): string
  /** The value of a config key of this run; "" for an unknown key. */
  Get(key: ConfigKey): string
}
declare const config: ConfigModule
declare module 'config' {
  const module: ConfigModule
  export default module
  export const get: ConfigModule['get']
  export const Get: ConfigModule['Get']
}

interface SecretsModule {
  /** A placeholder for a secret, replaced by its value when an http call leaves; throws for an unknown name. */
  get(name: string): string
  /** A placeholder for a secret, replaced by its value when an http call leaves; throws for an unknown name. */
  Get(name: string): string
}
declare const secrets: SecretsModule
declare module 'secrets' {
  const module: SecretsModule
  export default module
  export const get: SecretsModule['get']
  export const Get: SecretsModule['Get']
}

interface HttpModule {
  /** Sends one request to a host on the egress list of the task. */
  request(request: HttpRequest): Promise<HttpResponse>
  /** Sends one request to a host on the egress list of the task. */
  Request(request: HttpRequest): Promise<HttpResponse>
  /** Sends a GET request. */
  get(url: string, options?: HttpOptions): Promise<HttpResponse>
  /** Sends a GET request. */
  Get(url: string, options?: HttpOptions): Promise<HttpResponse>
  /** Sends a POST request: `post(url, contentType, body)` or `post(url, body, { headers })`. */
  post(url: string, ...rest: PostArguments): Promise<HttpResponse>
  /** Sends a POST request: `post(url, contentType, body)` or `post(url, body, { headers })`. */
  Post(url: string, ...rest: PostArguments): Promise<HttpResponse>
}
declare const http: HttpModule
declare module 'http' {
  const module: HttpModule
  export default module
  export const request: HttpModule['request']
  export const Request: HttpModule['Request']
  export const get: HttpModule['get']
  export const Get: HttpModule['Get']
  export const post: HttpModule['post']
  export const Post: HttpModule['Post']
}

interface IdpModule {
  /** The access request that fired this run. */
  getAccessRequest(request_id: string): Promise<AccessRequest>
  /** The access request that fired this run. */
  GetAccessRequest(request_id: string): Promise<AccessRequest>
  /** The identities that may decide the access request that fired this run. */
  getAccessRequestApprovers(request_id: string): Promise<Approver[]>
  /** The identities that may decide the access request that fired this run. */
  GetAccessRequestApprovers(request_id: string): Promise<Approver[]>
}
declare const idp: IdpModule
declare module 'idp' {
  const module: IdpModule
  export default module
  export const getAccessRequest: IdpModule['getAccessRequest']
  export const GetAccessRequest: IdpModule['GetAccessRequest']
  export const getAccessRequestApprovers: IdpModule['getAccessRequestApprovers']
  export const GetAccessRequestApprovers: IdpModule['GetAccessRequestApprovers']
}

declare const log: Log
declare module 'log' {
  const module: Log
  export default module
  export const debug: Log['debug']
  export const info: Log['info']
  export const warn: Log['warn']
  export const error: Log['error']
}
declare const console: Log & { log: Log }
