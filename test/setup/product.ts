import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'

import { Client, Connection } from '@temporalio/client'
import { inject } from 'vitest'

import { createTokenSigner } from '../../api/token-signer.ts'
import { loadConfig } from '../../bin/config.ts'
import type { Config } from '../../bin/config.ts'
import { startProduct, startServer } from '../../bin/product.ts'
import { connect, getRow } from '../../db/client.ts'
import type { Sql } from '../../db/client.ts'
import type { AccessRequest, AccessRequestDetail } from '../../domain/access-request.ts'
import type { SandboxOptions } from '../../sandbox/run-script.ts'
import { createTestDatabase } from './database.ts'
import type { TestDatabase } from './database.ts'

const issuer = 'http://hallpass.test'

/** An answer of the API; `body` is what its JSON says, or null where there is none. */
export type Answer<Body = Record<string, unknown>> = { status: number; headers: Headers; body: Body }

/** Calls the API over HTTP as one identity. */
export type Caller = {
  id: string
  token: string
  call: <Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<Answer<Body>>
}

export type TestProduct = {
  sql: Sql
  database_url: string
  url: string
  client: Client
  queue: string
  /** A member of the demo organisation, by the part of the e-mail before the @; `ci-bot` too. */
  as: (name: string) => Promise<Caller>
  /** The demo organisation's template, as an input that can be changed and saved. */
  template: (overrides?: Record<string, unknown>) => Promise<Record<string, unknown> & { id: string }>
  close: () => Promise<void>
}

/** `without_worker`: the test brings its own. `sandbox`: weaker walls than this machine allows. */
export type TestProductOptions = Partial<Config> & {
  temporal_address?: string
  without_worker?: boolean
  sandbox?: SandboxOptions
  pages_folder?: string
  /** false: as on a database of the operator's own, which starts empty. */
  embedded?: boolean
  say?: (line: string) => void
}

/** The whole product on the test run's servers, with a database and task queues of its own and the demo organisation. */
export async function startTestProduct({
  sandbox,
  pages_folder,
  embedded = true,
  say = (line) => void (process.env.SAY && process.stderr.write(`${line}\n`)),
  ...overrides
}: TestProductOptions = {}): Promise<TestProduct> {
  const servers = inject('servers')
  const database = overrides.database_url ? openDatabase(overrides.database_url) : await createTestDatabase()
  const signing_key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  })
  const config: Config = {
    ...loadConfig({}),
    port: 0,
    public_url: issuer,
    signing_key: signing_key.toString(),
    secrets_key: [randomBytes(32)],
    reads_per_minute: 1_000_000,
    writes_per_minute: 100_000,
    sign_ins_per_minute: 100_000,
    tokens_per_minute: 1_000_000,
    scim_calls_per_minute: 1_000_000,
    temporal_namespace: servers.temporal_namespace,
    ...overrides,
  }
  const temporal_address = overrides.temporal_address ?? servers.temporal_address
  const queue = `test-${randomUUID()}`
  const start = overrides.without_worker ? startServer : startProduct
  const product = await start({
    config,
    database_url: database.url,
    embedded,
    temporal_address,
    temporal_ui_url: 'http://temporal.test',
    workflow_bundle: servers.workflow_bundle,
    say,
    queue,
    ...(sandbox && { sandbox }),
    ...(pages_folder !== undefined && { pages_folder }),
  })
  const connection = Connection.lazy({ address: temporal_address })
  const { sql } = database
  const as = createCallers(sql, product.url, config)
  return {
    sql,
    database_url: database.url,
    url: product.url,
    client: new Client({ connection, namespace: config.temporal_namespace }),
    queue,
    as,
    template: (changes = {}) => createTemplate(as, changes),
    async close() {
      await product.close()
      await connection.close()
      await database.drop()
    },
  }
}

/** A database that the test brings, and ends, itself. */
function openDatabase(url: string): TestDatabase {
  const sql = connect(url, { max: 5 })
  return { sql, url, drop: () => sql.end({ timeout: 2 }) }
}

function createCallers(sql: Sql, url: string, config: Config): TestProduct['as'] {
  const { signing_key = '', public_url } = config
  const signer = createTokenSigner(signing_key, public_url)
  return async (name) => {
    const email = name === 'ci-bot' ? name : `${name}@example.com`
    const { id } = await getRow<{ id: string }>(sql`select id from identities where email = ${email}`)
    const iat = Math.floor(Date.now() / 1_000)
    const { token } = await (await signer).sign({ sub: id, aud: public_url }, { iat, exp: iat + 3_600 })
    return { id, token, call: callerOf(url, token) }
  }
}

export function callerOf(url: string, token: string): Caller['call'] {
  // The shape of an answer is what the test says it is.
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  return async <Body>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? null : JSON.parse(text)) as Body,
    }
  }
}

function fail(message: string): never {
  throw new Error(message)
}

type TemplateRow = Record<string, unknown> & { id: string }

async function createTemplate(as: TestProduct['as'], changes: Record<string, unknown>): Promise<TemplateRow> {
  const admin = await as('admin')
  const { body: listed } = await admin.call<{ data: TemplateRow[] }>('GET', '/access-request-templates')
  const { id: _, created_at: _c, updated_at: _u, ...input } = listed.data[0] ?? fail('there is no template')
  const name = `Template ${randomUUID()}`
  const { body, status } = await admin.call<TemplateRow>('POST', '/access-request-templates', {
    ...input,
    name,
    ...changes,
  })
  if (status !== 201) throw new Error(`the template was refused: ${JSON.stringify(body)}`)
  return body
}

/** Submits a request, which has to be accepted. */
export async function submit(
  caller: Caller,
  template_id: string,
  overrides: Record<string, unknown> = {},
): Promise<AccessRequest> {
  const answer = await caller.call<AccessRequest>('POST', '/access-requests', {
    template_id,
    requested_duration_mins: 60,
    justification: 'The incident.',
    ...overrides,
  })
  if (answer.status !== 201)
    throw new Error(`the submission was answered ${answer.status}: ${JSON.stringify(answer.body)}`)
  return answer.body
}

export async function getRequest(caller: Caller, id: string): Promise<AccessRequestDetail> {
  return (await caller.call<AccessRequestDetail>('GET', `/access-requests/${id}`)).body
}

/** Looks every 50 ms until `find` finds something. @throws after `ms`, saying what it waited for */
export async function eventually<Found>(
  what: string,
  find: () => Promise<Found | undefined | false | null>,
  ms = 60_000,
): Promise<Found> {
  for (const end = Date.now() + ms; Date.now() < end; ) {
    const found = await find()
    if (found !== undefined && found !== false && found !== null) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`waited ${ms} ms for ${what}`)
}
