import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { getRow, rows } from '../../db/client.ts'
import { integrationEvents, triggerEvents } from '../../domain/lifecycle.ts'
import type { Run, ScriptTask } from '../../domain/script-task.ts'
import { startHttp } from '../egress/servers.ts'
import type { LocalServer } from '../egress/servers.ts'
import { startTestProduct, submit } from '../setup/product.ts'
import type { Answer, Caller, TestProduct } from '../setup/product.ts'

type Tested = Run & { code: string; errors: unknown }

let it: TestProduct
let admin: Caller
let alice: Caller
let service: LocalServer
let host: string
let seen: string[] = []

const secret = 'CaNaRy/7f3a+9c"e4b0'

beforeAll(async () => {
  service = await startHttp((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`)
    response.end(`answer to ${request.headers.authorization ?? 'nobody'}`)
  })
  host = `localhost:${service.port}`
  it = await startTestProduct({ allow_private_egress: true })
  ;[admin, alice] = (await Promise.all(['admin', 'alice'].map(it.as))) as [Caller, Caller]
  await admin.call('PUT', '/secrets/TOKEN', { value: secret, hosts: [host] })
})
afterAll(() => Promise.all([it.close(), service.close()]))
beforeEach(() => {
  seen = []
})

const scriptOf = (body: string) =>
  `export async function run() { ${body.replaceAll('SERVICE', `http://${host}`)} }`

async function saveTask(body: string, changes: Record<string, unknown> = {}): Promise<ScriptTask> {
  const script = scriptOf(body)
  const input = { name: randomUUID(), script, egress_hosts: [host], ...changes }
  return (await admin.call<ScriptTask>('POST', '/scheduled-tasks', input)).body
}

const testTask = ({ id }: { id: string }, input: unknown = {}, caller = admin): Promise<Answer<Tested>> =>
  caller.call('POST', `/scheduled-tasks/${id}/test`, input)

const testDraft = (body: string, input: Record<string, unknown> = {}, caller = admin) =>
  caller.call<Tested>('POST', '/scheduled-tasks/test', {
    script: scriptOf(body),
    egress_hosts: [host],
    ...input,
  })

const countRuns = async () =>
  (await getRow<{ count: number }>(it.sql`select count(*)::int as count from script_runs`)).count

const posts = `const { status, body } = await http.post('SERVICE/in?x=1', { a: 1 }, {
  headers: { authorization: 'Bearer ' + secrets.get('TOKEN') } }); return status + body`

const tells = `return JSON.stringify(['trigger_event', 'event.type', 'request_id', 'requester_email', 'event.request_id']
  .map((key) => config.get(key)))`

describe('a test run', () => {
  test.each(triggerEvents)('is told of %s with invented values', async (sample) => {
    const { status, body } = await testDraft(tells, { sample })
    expect(status).toBe(200)
    expect(body).toMatchObject({ trigger: 'test', status: 'succeeded', task_id: null, task_name: 'draft' })
    const told = JSON.parse(body.result ?? '') as string[]
    expect(told[0]).toBe(sample)
    expect(told[2]).toMatch(/^00000000-/)
    expect(told[3]).toBe('alice@example.com')
  })

  test.each(integrationEvents)('is told of %s as a bound task is', async (sample) => {
    const told = JSON.parse((await testDraft(tells, { sample })).body.result ?? '') as string[]
    expect(told[1]).toBe(sample)
    expect(told[4]).toBe(told[2])
  })

  test('is told what is sent as event, first of all', async () => {
    const event = { requester_email: 'carol@example.com' }
    const { body } = await testDraft(tells, { sample: 'created', event, config: { requester_email: 'x' } })
    expect(body.result).toContain('carol@example.com')
  })

  test('of a draft on a schedule is told of what is open', async () => {
    const schedule = { schedule_type: 'interval', interval_seconds: 60 }
    const { body } = await testDraft(
      `return config.get('trigger_event') + config.get('open_grants')`,
      schedule,
    )
    expect(body.result).toBe('schedule[]')
  })

  test('writes down what it would have sent, and sends nothing', async () => {
    const task = await saveTask(posts)
    const { body } = await testTask(task)
    expect(body).toMatchObject({ task_id: task.id, version: 1, status: 'succeeded', result: '200' })
    expect(body.calls).toMatchObject([
      {
        method: 'POST',
        host: 'localhost',
        path: '/in',
        status: null,
        bytes_sent: 7,
        error: null,
        made: false,
      },
    ])
    expect(body.calls[0]?.headers?.['authorization']).toBe('Bearer [secret TOKEN]')
    expect(JSON.stringify(body)).not.toContain('CaNaRy')
    expect(seen).toEqual([])
  })

  test('makes its calls when that is asked for, and masks what comes back', async () => {
    const { body } = await testTask(await saveTask(posts), { make_calls: true })
    expect(body.result).toBe('200answer to Bearer [secret TOKEN]')
    expect(body.calls).toMatchObject([{ status: 200, made: true }])
    expect(seen).toEqual([`POST /in?x=1 Bearer ${secret}`])
  })

  test('runs a task that is disabled', async () => {
    const { body } = await testTask(await saveTask(`return 'ran'`, { enabled: false }))
    expect(body.result).toBe('ran')
  })

  test('on a real request is told of it, and idp answers of it', async () => {
    const request = await submit(alice, (await it.template()).id, { ticket: 'CHG-1' })
    const script = `return config.get('event.type') + (await idp.getAccessRequest(config.get('request_id'))).ticket`
    const created = await testDraft(script, { request_id: request.id })
    expect(created.body).toMatchObject({ result: 'CHG-1', request_id: request.id })
    const submitted = await testDraft(script, { request_id: request.id, sample: 'access_request.submitted' })
    expect(submitted.body.result).toBe('access_request.submittedCHG-1')
  })

  test('on a sample gets sample approvers', async () => {
    const ask = `const id = config.get('request_id')
      const [approver] = await idp.getAccessRequestApprovers(id)
      return approver.email + (await idp.getAccessRequest(id)).status`
    expect((await testDraft(ask, { sample: 'approved' })).body.result).toBe('bob@example.comapproved')
  })

  test('keeps nothing but an audit event', async () => {
    const before = await countRuns()
    const task = await saveTask(posts)
    await testTask(task, { sample: 'denied' })
    expect(await countRuns()).toBe(before)
    expect((await admin.call<ScriptTask>('GET', `/scheduled-tasks/${task.id}`)).body).toEqual(task)
    const events = await rows<{ kind: string; actor_id: string; detail: Record<string, unknown> }>(
      it.sql`select kind, actor_id, detail from audit_events where object_id = ${task.id} order by seq`,
    )
    expect(events.map(({ kind }) => kind)).toEqual(['script_task.created', 'script_task.tested'])
    expect(events[1]).toMatchObject({ actor_id: admin.id, detail: { sample: 'denied', make_calls: false } })
  })
})

describe('a test run refuses', () => {
  test('whoever does not manage', async () => {
    const task = await saveTask(posts)
    expect((await testTask(task, { make_calls: true }, alice)).body.code).toBe('forbidden')
    expect((await testDraft(posts, { make_calls: true }, alice)).status).toBe(403)
    expect(seen).toEqual([])
  })

  test.each([randomUUID(), 'nonsense'])('a task that is not there: %s', async (id) => {
    expect((await testTask({ id })).status).toBe(404)
  })

  test('a draft that does not compile, with the place', async () => {
    const { status, body } = await testDraft('return (')
    expect([status, body]).toMatchObject([422, { code: 'script_invalid', line: 1 }])
  })

  test.each([
    ['a sample that there is not', { sample: 'access_request.eaten' }, '/sample'],
    ['a request that there is not', { request_id: randomUUID() }, '/request_id'],
    ['a field that it does not know', { make_call: true }, '/make_call'],
    ['a half answer', { make_calls: 'yes' }, '/make_calls'],
  ])('%s', async (_, input, pointer) => {
    const answers = [await testTask(await saveTask(posts), input), await testDraft(posts, input)]
    for (const { status, body } of answers)
      expect([status, body]).toMatchObject([422, { errors: [{ pointer }] }])
    expect(seen).toEqual([])
  })

  test('a schedule that could not be kept', async () => {
    const { status, body } = await testDraft(posts, { schedule_type: 'interval' })
    expect([status, body]).toMatchObject([422, { errors: [{ pointer: '/interval_seconds' }] }])
  })

  test('an event that the request has not had', async () => {
    const { id } = await submit(alice, (await it.template()).id)
    const { status, body } = await testDraft(posts, { request_id: id, sample: 'access_request.expired' })
    expect([status, body]).toMatchObject([422, { errors: [{ pointer: '/sample' }] }])
  })

  test.each([false, true])('a host that the task does not name, calls made: %s', async (make_calls) => {
    const { body } = await testDraft(posts, { egress_hosts: ['other.example'], make_calls })
    expect(body).toMatchObject({ status: 'failed', calls: [{ made: false, status: null }] })
    expect(body.error?.message).toContain('is not in the egress_hosts')
    expect(seen).toEqual([])
  })

  test.each([false, true])('a host that a secret does not name, calls made: %s', async (make_calls) => {
    await admin.call('PUT', '/secrets/KEPT', { value: secret, hosts: ['kept.example'] })
    const { body } = await testDraft(posts.replace('TOKEN', 'KEPT'), { make_calls })
    expect(body.error?.message).toContain('the secret KEPT may not be sent to localhost')
    expect(seen).toEqual([])
  })

  test('to tell of another request than its own', async () => {
    const { id } = await submit(alice, (await it.template()).id)
    for (const input of [
      { sample: 'created' },
      { request_id: (await submit(alice, (await it.template()).id)).id },
    ]) {
      const { body } = await testDraft(`await idp.getAccessRequest('${id}')`, input)
      expect(body.error?.message).toContain('only about the access request of its own event')
    }
  })

  test('to last longer than the draft may', async () => {
    const { body } = await testDraft('await new Promise(() => {})', { timeout_seconds: 1 })
    expect(body).toMatchObject({ status: 'failed', result: null })
    expect((await testDraft(`return 'next'`)).body.result).toBe('next')
  })
})
