/** One function that scripts can call. `answered_by: 'product'` crosses to the parent as the host call `module.method`. */
export type HostFunction = {
  answered_by: 'isolate' | 'product'
  parameters: string
  returns: string
  doc: string
}

/** Everything that scripts can call: the child builds its modules, the parent its dispatch and the declaration file its types from this table. */
export const hostApi = {
  config: {
    get: {
      answered_by: 'isolate',
      parameters: 'key: ConfigKey',
      returns: 'string',
      doc: 'The value of a config key of this run; "" for an unknown key.',
    },
  },
  secrets: {
    get: {
      answered_by: 'isolate',
      parameters: 'name: string',
      returns: 'string',
      doc: 'A placeholder for a secret, replaced by its value when an http call leaves; throws for an unknown name.',
    },
  },
  http: {
    request: {
      answered_by: 'product',
      parameters: 'request: HttpRequest',
      returns: 'Promise<HttpResponse>',
      doc: 'Sends one request to a host on the egress list of the task.',
    },
    get: {
      answered_by: 'isolate',
      parameters: 'url: string, options?: HttpOptions',
      returns: 'Promise<HttpResponse>',
      doc: 'Sends a GET request.',
    },
    post: {
      answered_by: 'isolate',
      parameters: 'url: string, ...rest: PostArguments',
      returns: 'Promise<HttpResponse>',
      doc: 'Sends a POST request: `post(url, contentType, body)` or `post(url, body, { headers })`.',
    },
  },
  idp: {
    getAccessRequest: {
      answered_by: 'product',
      parameters: 'request_id: string',
      returns: 'Promise<AccessRequest>',
      doc: 'The access request that fired this run.',
    },
    getAccessRequestApprovers: {
      answered_by: 'product',
      parameters: 'request_id: string',
      returns: 'Promise<Approver[]>',
      doc: 'The identities that may decide the access request that fired this run.',
    },
  },
} as const satisfies Record<string, Record<string, HostFunction>>

/** The levels of a log line; each is a function of `console` and of the module `log`. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

/** The spelling of a function that the documentation's Go examples use: `get` is also `Get`. */
export const goSpelling = (name: string) => name.charAt(0).toUpperCase() + name.slice(1)

const modules: [name: string, functions: Record<string, HostFunction>][] = Object.entries(hostApi)

const spellings = (name: string) => [name, goSpelling(name)]

/** The host calls that a child may make, as `module.method`. */
export const productCalls: ReadonlySet<string> = new Set(
  modules.flatMap(([module, functions]) =>
    Object.entries(functions)
      .filter(([, { answered_by }]) => answered_by === 'product')
      .map(([name]) => `${module}.${name}`),
  ),
)

/** Per module the spellings of its functions with the operation, `module.method`, that each stands for. */
export function operationsByModule(): Record<string, Record<string, string>> {
  const operations = modules.map(([module, functions]) => [
    module,
    Object.fromEntries(
      Object.keys(functions).flatMap((name) => spellings(name).map((each) => [each, `${module}.${name}`])),
    ),
  ])
  return Object.fromEntries(operations)
}

/** The names that each importable module exports besides its default. */
export function exportedNames(): Record<string, readonly string[]> {
  const exported = modules.map(([module, functions]) => [module, Object.keys(functions).flatMap(spellings)])
  return Object.fromEntries([...exported, ['log', logLevels]])
}
