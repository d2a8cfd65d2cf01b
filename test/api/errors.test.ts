import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createTokenSigner } from '../../api/token-signer.ts'
import { connect, getRow, rows } from '../../db/client.ts'
import { errorCodes } from '../../domain/errors.ts'
import type { ErrorCode } from '../../domain/errors.ts'
import { createTestApi, expectRefusal } from '../setup/api.ts'
import type { Answer } from '../setup/api.ts'
import { eventually, startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'
import { exchange, requestText } from './raw-http.ts'
import type { RawAnswer } from './raw-http.ts'

type Fields = { [key: string]: unknown }

const issuer = 'http://hallpass.test'
const signing_key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()

let it: TestProduct
let alice: Caller
let bob: Caller
let dana: Caller
let admin: Caller
let authorization: string

beforeAll(async () => {
  it = await startTestProduct({ signing_key })
  ;[alice, bob, dana, admin] = (await Promise.all(['alice', 'bob', 'dana', 'admin'].map(it.as))) as [
    Caller,
    Caller,
    Caller,
    Caller,
  ]
  authorization = `Bearer ${await tokenOf(alice)}`
})
afterAll(() => it.close())

async function tokenOf({ id }: Caller): Promise<string> {
  const iat = Math.floor(Date.now() / 1_000)
  const signer = await createTokenSigner(signing_key, issuer)
  return (await signer.sign({ sub: id, aud: issuer }, { iat, exp: iat + 600 })).token
}

const post = (caller: Caller, path: string, body?: unknown, headers?: Record<string, string>) =>
  caller.call('POST', path, body, headers)

const groupId = async (name: string) =>
  (await getRow<{ id: string }>(it.sql`select id from groups where name = ${name}`)).id

async function asking(template: Fields = {}, changes: Fields = {}) {
  const { id } = await it.template({ trigger_task_id: null, ...template })
  return { template_id: id, requested_duration_mins: 60, justification: 'The incident.', ...changes }
}

const ask = async (template: Fields, changes: Fields = {}, caller = alice) =>
  post(caller, '/access-requests', await asking(template, changes))

async function pending(template: Fields = {}, caller = alice): Promise<string> {
  return (await submit(caller, (await it.template({ trigger_task_id: null, ...template })).id)).id
}

const decide = (caller: Caller, verb: string, id: string, headers?: Record<string, string>) =>
  post(caller, `/access-requests/${id}/${verb}`, undefined, headers)

/** A request whose approval waits for this script. */
async function blockedBy(script: string): Promise<string> {
  const { body } = await post(admin, '/scheduled-tasks', { name: randomUUID(), script })
  return pending({ trigger_task_id: body['id'], trigger_task_failure_mode: 'block' })
}

/** Sends text as it is, as Alice. */
async function raw(target: string, text: string, headers: Record<string, string> = {}) {
  const all = {
    authorization,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    ...headers,
  }
  return exchange(it.url, [requestText('POST', `/api/v1${target}`, all, text)])
}

const secretPath = '/srv/hallpass/api/secret.ts:12:7'

/** The cheapest way to each refusal that there is. */
const provoke: Record<ErrorCode, () => Promise<Answer<unknown>>> = {
  malformed_json: () => raw('/access-requests', '{"template_id": '),
  unauthenticated: () => exchange(it.url, [requestText('GET', '/api/v1/me', {})]),
  forbidden: () => post(alice, '/access-request-templates', {}),
  requester_not_allowed: async () => ask({ allowed_group_ids: [await groupId('dba-team')] }),
  subject_not_allowed: () => ask({}, { subject_id: bob.id }),
  self_approval_forbidden: async () => decide(bob, 'approve', await pending({}, bob)),
  not_an_approver: async () => decide(admin, 'approve', await pending()),
  not_found: () => alice.call('GET', `/access-requests/${randomUUID()}`),
  async pending_request_exists() {
    const body = await asking()
    await post(alice, '/access-requests', body)
    return post(alice, '/access-requests', body)
  },
  async request_not_pending() {
    const id = await pending()
    await decide(bob, 'deny', id)
    return decide(bob, 'approve', id)
  },
  async request_not_active() {
    const id = await pending()
    await decide(alice, 'revoke', id)
    return decide(alice, 'revoke', id)
  },
  async decision_in_progress() {
    const id = await blockedBy(
      `export const run = () => { for (const end = Date.now() + 1_500; Date.now() < end; ) continue }`,
    )
    const first = decide(bob, 'approve', id)
    await eventually('the run', async () => {
      const [run] = await rows(
        it.sql`select 1 from script_runs where request_id = ${id} and trigger = 'approved'`,
      )
      return run
    })
    const second = await decide(dana, 'approve', id)
    expect((await first).status).toBe(200)
    return second
  },
  trigger_task_blocked: async () =>
    decide(bob, 'approve', await blockedBy(`export const run = () => { throw new Error('not today') }`)),
  async template_in_use() {
    const { template_id } = await asking()
    await submit(alice, template_id)
    return admin.call('DELETE', `/access-request-templates/${template_id}`)
  },
  in_use: async () => admin.call('DELETE', `/groups/${await groupId('dba-team')}`),
  name_taken: () => post(admin, '/groups', { name: 'dba-team' }),
  last_admin: () => admin.call('PATCH', `/identities/${admin.id}`, { status: 'disabled' }),
  async temporary_group() {
    const id = await pending({ auto_approve: true })
    return admin.call('PUT', `/groups/${await groupId(`__access_req_${id}`)}/members/${bob.id}`)
  },
  async idempotency_in_progress() {
    const headers = { 'idempotency-key': randomUUID() }
    const body = await asking()
    await post(alice, '/access-requests', body, headers)
    await it.sql`update idempotency_keys set status = null, locked_until = now() + interval '1 minute'
      where key = ${headers['idempotency-key']}`
    return post(alice, '/access-requests', body, headers)
  },
  async precondition_failed() {
    const { template_id } = await asking()
    return admin.call('DELETE', `/access-request-templates/${template_id}`, undefined, { 'if-match': '"9"' })
  },
  body_too_large: () => post(alice, '/access-requests', { x: 'x'.repeat(1_048_576) }),
  unsupported_media_type: () => raw('/access-requests', '{}', { 'content-type': 'text/plain' }),
  invalid_request: () => post(alice, '/access-requests', {}),
  duration_not_allowed: () => ask({}, { requested_duration_mins: 61 }),
  justification_required: () => ask({}, { justification: '' }),
  invalid_custom_answers: () => ask({}, { custom_answers: { x: 1 } }),
  async app_id_immutable() {
    const { id, created_at: _c, updated_at: _u, ...input } = await it.template()
    return admin.call('PUT', `/access-request-templates/${id}`, { ...input, app_id: randomUUID() })
  },
  script_invalid: () => post(admin, '/scheduled-tasks', { name: randomUUID(), script: 'export const = 1' }),
  async idempotency_key_reused() {
    const headers = { 'idempotency-key': randomUUID() }
    await post(alice, '/access-requests', await asking(), headers)
    return post(alice, '/access-requests', await asking(), headers)
  },
  async rate_limited() {
    const api = await createTestApi(it.sql, { writes_per_minute: 1 })
    await api.call('POST', '/access-requests', { as: alice.id })
    return api.call('POST', '/access-requests', { as: alice.id })
  },
  async internal() {
    const fault = () => Promise.reject(new Error(`select secret from vault failed at ${secretPath}`))
    const scripts = { compile: fault, run: fault, test: fault, replay: fault }
    const api = await createTestApi(it.sql, { scripts, logError: () => undefined })
    return api.call('POST', '/scheduled-tasks', { as: admin.id, body: { name: 'x', script: 'x' } })
  },
  async unavailable() {
    const sql = connect('postgres://hallpass:hunter2@127.0.0.1:1/none')
    const api = await createTestApi(sql)
    const answer = await api.call('GET', '/me', { as: alice.id })
    await sql.end()
    return answer
  },
}

/** The statuses of the specification, section 3. */
const statuses: Partial<Record<ErrorCode, number>> = {
  malformed_json: 400,
  unauthenticated: 401,
  forbidden: 403,
  requester_not_allowed: 403,
  subject_not_allowed: 403,
  self_approval_forbidden: 403,
  not_an_approver: 403,
  not_found: 404,
  precondition_failed: 412,
  body_too_large: 413,
  unsupported_media_type: 415,
  invalid_request: 422,
  duration_not_allowed: 422,
  justification_required: 422,
  invalid_custom_answers: 422,
  app_id_immutable: 422,
  script_invalid: 422,
  idempotency_key_reused: 422,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
}

const leaks =
  /\.ts\b|\.js\b|node_modules|\bat \S+ \(|\/work\/|\/srv\/|\bselect\b.*\bfrom\b|postgres|PostgresError|ECONN|hunter2|zod/i

describe('every code', () => {
  test.each([...errorCodes])('%s is a problem that tells what to do and nothing else', async (code) => {
    const answer = await provoke[code]()
    expectRefusal(answer, statuses[code] ?? 409, code)
    const body = answer.body as Fields & { title: string; detail: string }
    expect(body).toMatchObject({ type: `urn:hallpass:problem:${code}` })
    expect(body.title).toMatch(/^[A-Z][a-z ]+$/)
    expect(body.detail).toMatch(/[.;)]$|[a-z]$/)
    expect(JSON.stringify(body)).not.toMatch(leaks)
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  })

  test('is provoked here', () => {
    expect(Object.keys(provoke).toSorted()).toEqual([...errorCodes].toSorted())
  })

  test('that asks for patience says for how long', async () => {
    for (const code of ['unavailable', 'rate_limited', 'idempotency_in_progress'] as const)
      expect(Number((await provoke[code]()).headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await provoke.unauthenticated()).headers.get('www-authenticate')).toMatch(/^Bearer /)
  })

  test('carries the facts that its reader needs', async () => {
    expect((await provoke.request_not_pending()).body).toMatchObject({ request_status: 'denied' })
    expect((await provoke.request_not_active()).body).toMatchObject({ request_status: 'revoked' })
    expect((await provoke.script_invalid()).body).toMatchObject({ line: 1, column: expect.any(Number) })
    expect((await provoke.trigger_task_blocked()).body).toMatchObject({
      run_id: expect.any(String),
      run_message: 'not today',
    })
  })
})

describe('a body', () => {
  const targets = ['/access-requests', `/access-requests/${randomUUID()}/approve`]

  const expectProblem = (answer: RawAnswer, status: number, code: string) =>
    expectRefusal(answer, status, code)

  test.each(['{', '}', '{"a":1,}', "{'a':1}", '{"a":01}', 'NaN', '{"a":1}{}', '\u0000', '{"a":"\n"}', '//'])(
    '%j is not JSON',
    async (text) => {
      for (const target of targets) expectProblem(await raw(target, text), 400, 'malformed_json')
    },
  )

  test('that is not UTF-8 is not JSON', async () => {
    const bytes = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])
    const head = { authorization, 'content-type': 'application/json', 'content-length': '8' }
    const answer = await exchange(it.url, [requestText('POST', '/api/v1/access-requests', head), bytes])
    expectProblem(answer, 400, 'malformed_json')
  })

  test.each([100_000, 10_000, 101])('nested %i deep is refused', async (depth) => {
    for (const text of [
      '['.repeat(depth) + ']'.repeat(depth),
      '{"a":'.repeat(depth) + '1' + '}'.repeat(depth),
    ])
      for (const target of targets) expectProblem(await raw(target, text), 400, 'malformed_json')
  })

  test.each([
    '{"comment":"a","comment":"b"}',
    '{"comment":"a","\\u0063omment":"b"}',
    '{"x":[{"a":1},{"b":{"c":1,"d":"}","c":2}}]}',
  ])('that names a member twice is refused: %s', async (text) => {
    for (const target of targets) expectProblem(await raw(target, text), 400, 'malformed_json')
  })

  test('that names a member once in each of several objects is taken', async () => {
    const { id } = await it.template({ trigger_task_id: null })
    const justification = String.raw`"justification": {"a":1,"a":2} \\" [[`
    expect((await submit(alice, id, { justification })).justification).toBe(justification)
    const tasks = {
      name: randomUUID(),
      script: 'export const run = () => "x"',
      config: { name: 'x', script: 'y' },
    }
    expect((await post(admin, '/scheduled-tasks', tasks)).status).toBe(201)
  })

  test.each([
    ['text/plain'],
    ['text/json'],
    ['application/jsonx'],
    ['application/merge-patch+json'],
    ['multipart/form-data; boundary=x'],
    ['application/x-www-form-urlencoded'],
    [''],
  ])('of type %j is refused', async (type) => {
    for (const target of targets)
      expectProblem(await raw(target, '{}', { 'content-type': type }), 415, 'unsupported_media_type')
  })

  test('without a type is refused', async () => {
    for (const target of targets) {
      const head = requestText('POST', `/api/v1${target}`, { authorization, 'content-length': '2' }, '{}')
      expectProblem(await exchange(it.url, [head]), 415, 'unsupported_media_type')
    }
  })

  test.each(['gzip', 'deflate', 'br', 'identity, gzip'])(
    'that is encoded as %s is refused',
    async (encoding) => {
      const bytes = gzipSync(Buffer.alloc(500_000, 32))
      const head = {
        authorization,
        'content-type': 'application/json',
        'content-encoding': encoding,
        'content-length': String(bytes.length),
      }
      const answer = await exchange(it.url, [requestText('POST', '/api/v1/access-requests', head), bytes])
      expectProblem(answer, 415, 'unsupported_media_type')
    },
  )

  test.each([
    'application/json',
    'Application/JSON',
    'application/json;',
    'application/json ; charset=utf-8',
    'application/json;charset="utf-8"',
  ])('of type %j is read', async (type) => {
    const id = await pending()
    const target = `/access-requests/${id}/revoke`
    const refused = await raw(target, '{"comment":1}', { 'content-type': type })
    expectProblem(refused, 422, 'invalid_request')
    const answer = await raw(target, '{"comment":"Read."}', { 'content-type': type })
    expect(answer).toMatchObject({ status: 200, body: { revoke_comment: 'Read.' } })
  })

  test.each(['application/json', 'text/plain', 'x'])(
    'may be absent with type %j where it is optional',
    async (type) => {
      const id = await pending()
      expect((await raw(`/access-requests/${id}/revoke`, '', { 'content-type': type })).status).toBe(200)
      expectProblem(await raw('/access-requests', '', { 'content-type': type }), 422, 'invalid_request')
    },
  )

  test('is counted as it comes, whatever was said of its length', async () => {
    const chunk = `${(600_000).toString(16)}\r\n${'x'.repeat(600_000)}\r\n`
    const head = { authorization, 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
    const text = requestText('POST', '/api/v1/access-requests', head)
    expectProblem(await exchange(it.url, [text, chunk, chunk, '0\r\n\r\n']), 413, 'body_too_large')
    expectProblem(await exchange(it.url, [text, chunk, chunk]), 413, 'body_too_large')
    expectProblem(await raw('/access-requests', 'x'.repeat(5_000_000)), 413, 'body_too_large')
    expect((await exchange(it.url, [text, '2\r\n{}\r\n0\r\n\r\n'])).status).toBe(422)
  })

  test('of nobody is not read', async () => {
    const answer = await exchange(it.url, [
      requestText('POST', '/api/v1/access-requests', { 'content-length': '5000000' }),
    ])
    expectProblem(answer, 401, 'unauthenticated')
  })
})

describe('an address', () => {
  const send = (method: string, target: string, headers = {}) =>
    exchange(it.url, [requestText(method, target, { authorization, ...headers })])

  test.each([
    '//api/v1/me',
    '/api//v1/me',
    '/api/v1//me',
    '/api/v1/me/',
    '/API/v1/me',
    '/api/v1/ME',
    '/api/v1/me%00',
    '/api/v1/me%20',
    '/api/v1/me;x',
    '/api/v1/me%2f',
    '/api/v1/%zz',
    '/api/v1/access-requests/%2e%2e%2fme',
    '/api/v1/../../etc/passwd',
    '/api/v1/%2e%2e/%2e%2e/etc/passwd',
    '/api/docs/..%2fpackage.json',
    '/api/docs/%2e%2e%2fpackage.json',
    '/api/docs/package.json',
    '/api/docs/__proto__',
    '/api/docs/constructor',
    '/',
  ])('%s is nowhere', async (target) => {
    expectRefusal(await send('GET', target), 404, 'not_found')
  })

  test.each(['/api/v1/%2e/me', '/api/v1/x/%2e%2e/me', '/api/v1/%6de'])(
    '%s is an odd spelling of one that asks who calls, like any other',
    async (target) => {
      expect((await send('GET', target)).status).toBe(200)
      expectRefusal(await exchange(it.url, [requestText('GET', target, {})]), 401, 'unauthenticated')
    },
  )

  test.each(['*', 'x', '/api/v1/m\u00e9', '/api/v1/ me'])('%s is no address', async (target) => {
    expect((await send('GET', target)).status).toBe(400)
  })

  test.each(['PUT', 'PATCH', 'DELETE', 'POST', 'OPTIONS', 'TRACE', 'PROPFIND'])(
    'takes only its own methods, not %s',
    async (method) => {
      expectRefusal(await send(method, '/api/v1/me', { 'content-length': '0' }), 404, 'not_found')
    },
  )

  test('takes no method that there is not', async () => {
    for (const method of ['BREW', 'get', 'G\u0000T'])
      expect((await send(method, '/api/v1/me')).status).toBe(400)
  })

  test('answers HEAD as GET, without a body, and it is no write', async () => {
    const api = await createTestApi(it.sql, { writes_per_minute: 1 })
    const { template_id } = await asking()
    for (let round = 0; round < 3; round++) {
      const path = `/access-request-templates/${template_id}`
      const answer = await api.call('HEAD', path, { as: alice.id, headers: { 'idempotency-key': 'head' } })
      expect([answer.status, answer.body, answer.headers.get('etag')]).toEqual([200, null, '"1"'])
    }
    expect(await rows(it.sql`select 1 from idempotency_keys where key = 'head'`)).toEqual([])
    expect((await send('HEAD', '/api/v1/access-requests/x')).status).toBe(404)
  })

  test('does not believe what is forwarded', async () => {
    const forged = {
      'x-forwarded-host': 'evil.test',
      'x-forwarded-proto': 'gopher',
      'x-forwarded-for': '127.0.0.1',
      forwarded: 'host=evil.test',
      'x-http-method-override': 'DELETE',
      'x-original-url': '/api/v1/access-requests/all',
    }
    const answer = await send('GET', '/api/v1/me', forged)
    expect(answer.status).toBe(200)
    expect(answer.text).not.toContain('evil')
  })

  test('with two lengths, or a length and chunks, is refused', async () => {
    const base = { authorization, 'content-type': 'application/json' }
    const both = { ...base, 'content-length': '2', 'transfer-encoding': 'chunked' }
    const target = '/api/v1/access-requests'
    expect((await exchange(it.url, [requestText('POST', target, both, '0\r\n\r\n')])).status).toBe(400)
    const negative = { ...base, 'content-length': '-1' }
    expect((await exchange(it.url, [requestText('POST', target, negative)])).status).toBe(400)
  })
})

describe('an Idempotency-Key', () => {
  const key = () => ({ 'idempotency-key': randomUUID() })
  const stored = (headers: { 'idempotency-key': string }) =>
    getRow<{ status: number | null; body: string | null }>(
      it.sql`select status, body from idempotency_keys where key = ${headers['idempotency-key']}`,
    )

  test('is bound to route and body', async () => {
    const [one, other] = [await pending(), await pending()]
    const headers = key()
    expect((await decide(bob, 'approve', one, headers)).status).toBe(200)
    for (const call of [
      decide(bob, 'approve', other, headers),
      decide(bob, 'deny', one, headers),
      post(bob, `/access-requests/${one}/approve`, { comment: 'x' }, headers),
      bob.call('PUT', `/access-requests/${one}/approve`, undefined, headers),
    ])
      expectRefusal(await call, 422, 'idempotency_key_reused')
    expect((await decide(bob, 'approve', one, headers)).headers.get('idempotency-replayed')).toBe('true')
  })

  test('is bound to its caller', async () => {
    const headers = key()
    const [mine, theirs] = [await pending(), await pending()]
    expect((await decide(bob, 'approve', mine, headers)).status).toBe(200)
    const other = await decide(dana, 'approve', theirs, headers)
    expect([other.status, other.headers.get('idempotency-replayed')]).toEqual([200, null])
  })

  test('brings back a refusal of the domain, even when it would be allowed now', async () => {
    const headers = key()
    const id = await pending()
    const refused = await decide(admin, 'approve', id, headers)
    await admin.call('PUT', `/groups/${await groupId('dba-team')}/members/${admin.id}`)
    const again = await decide(admin, 'approve', id, headers)
    await admin.call('DELETE', `/groups/${await groupId('dba-team')}/members/${admin.id}`)
    expectRefusal(refused, 403, 'not_an_approver')
    expectRefusal(again, 403, 'not_an_approver')
    expect(again.body).toEqual(refused.body)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
  })

  test('brings back an answer with all that belongs to it', async () => {
    const headers = key()
    const body = await asking()
    const first = await post(alice, '/access-requests', body, headers)
    const again = await post(alice, '/access-requests', body, headers)
    expect([first.status, again.status]).toEqual([201, 201])
    for (const name of ['location', 'content-type', 'x-content-type-options', 'cache-control'])
      expect([name, again.headers.get(name)]).toEqual([name, first.headers.get(name)])
  })

  test('goes on with a submission whose answer was lost, though its template has changed since', async () => {
    const headers = key()
    const template = await it.template({ trigger_task_id: null })
    const body = { template_id: template.id, requested_duration_mins: 60, justification: 'x' }
    const first = await post(alice, '/access-requests', body, headers)
    const { id, created_at: _c, updated_at: _u, ...input } = template
    await admin.call('PUT', `/access-request-templates/${id}`, { ...input, allowed_durations: [5] })
    await it.sql`update idempotency_keys set status = null, body = null, locked_until = null
      where key = ${headers['idempotency-key']}`
    const again = await post(alice, '/access-requests', body, headers)
    expect([again.status, again.body['id']]).toEqual([201, first.body['id']])
  })

  test('goes on with a decision whose answer was lost', async () => {
    const headers = key()
    const id = await pending()
    await decide(bob, 'approve', id, headers)
    await it.sql`update idempotency_keys set status = null, body = null, locked_until = null
      where key = ${headers['idempotency-key']}`
    expect(await decide(bob, 'approve', id, headers)).toMatchObject({
      status: 200,
      body: { status: 'approved' },
    })
    expect(await rows(it.sql`select 1 from decisions where request_id = ${id}`)).toHaveLength(1)
  })

  test('does not keep what a later attempt may not meet', async () => {
    const headers = key()
    const { id, created_at: _c, updated_at: _u, ...input } = await it.template()
    const path = `/access-request-templates/${id}`
    const stale = { ...headers, 'if-match': '"2"' }
    expectRefusal(await admin.call('PUT', path, input, stale), 412, 'precondition_failed')
    expect((await stored(headers)).status).toBeNull()
    await admin.call('PUT', path, input)
    expect((await admin.call('PUT', path, input, stale)).status).toBe(200)
  })

  test('does not keep a fault of ours', async () => {
    const headers = key()
    let isBroken = true
    const compile = () => (isBroken ? Promise.reject(new Error('broken')) : Promise.resolve({ code: 'x' }))
    const unused = () => Promise.reject(new Error('unused'))
    const scripts = { compile, run: unused, test: unused, replay: unused }
    const api = await createTestApi(it.sql, { scripts, logError: () => undefined })
    const call = () =>
      api.call('POST', '/scheduled-tasks', {
        as: admin.id,
        headers,
        body: { name: 'mended', script: 'x' },
      })
    expectRefusal(await call(), 500, 'internal')
    isBroken = false
    expect((await call()).status).toBe(201)
  })

  test('keeps no token', async () => {
    const headers = key()
    const { id } = await getRow<{ id: string }>(it.sql`select id from applications`)
    const mint = () => post(alice, `/applications/${id}/token`, undefined, headers)
    const [first, second] = [await mint(), await mint()]
    expect([first.status, second.status]).toEqual([200, 200])
    expect(first.headers.get('cache-control')).toBe('no-store')
    expect(second.body['access_token']).not.toBe(first.body['access_token'])
    expect(await stored(headers)).toEqual({ status: null, body: null })
    const kept = await rows(it.sql`select 1 from idempotency_keys where body like '%eyJ%'`)
    expect(kept).toEqual([])
  })

  test.each(['', ' ', 'a b', 'x'.repeat(256), '\u00e9', 'a\tb'])('%j is none', async (value) => {
    const answer = await post(alice, '/access-requests', await asking(), { 'idempotency-key': value })
    expectRefusal(answer, 422, 'invalid_request', '/idempotency-key')
  })

  test('is forgotten by reads', async () => {
    const headers = key()
    expect((await alice.call('GET', '/me', undefined, headers)).status).toBe(200)
    expect((await alice.call('GET', '/access-requests', undefined, headers)).status).toBe(200)
  })
})
