import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { getRow, rows } from '../../db/client.ts'
import { integrationEvents, triggerEvents } from '../../domain/lifecycle.ts'
import type { ScriptReplay } from '../../domain/script-test.ts'
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
let large = ''

const secret = 'CaNaRy/7f3a+9c"e4b0'

beforeAll(async () => {
  service = await startHttp((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`)
    if (request.url === '/large') response.end(large)
    else response.end(`answer to ${request.headers.authorization ?? 'nobody'}`)
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

type Replay = ScriptReplay & { code: string; errors: unknown }

const runTask = async ({ id }: ScriptTask, input: unknown = {}): Promise<Run> =>
  (await admin.call<Run>('POST', `/scheduled-tasks/${id}/run`, input)).body

const replay = (task: { id: string }, run: { id: string }, input: unknown = {}, caller = admin) =>
  caller.call<Replay>('POST', `/scheduled-tasks/${task.id}/runs/${run.id}/replay`, input)

const same = { result: '', log: '', calls: '' }

describe('a replay', () => {
  test('of the same version is told and answered the same, calls nobody and keeps nothing', async () => {
    const task = await saveTask(`log(config.get('colour'), config.get('kind')); ${posts}`, {
      config: { colour: 'blue' },
    })
    const recorded = await runTask(task, { event: { kind: 'real' } })
    const runs = await countRuns()
    seen = []
    const { status, body } = await replay(task, recorded)
    expect([status, body.differences]).toEqual([200, same])
    expect(body.recorded).toEqual(recorded)
    expect(body.run).toMatchObject({
      trigger: 'replay',
      version: 1,
      result: '200answer to Bearer [secret TOKEN]',
    })
    expect(body.run.log[0]?.text).toBe('blue real')
    expect(body.run.calls).toMatchObject([{ method: 'POST', host: 'localhost', path: '/in', made: false }])
    expect(seen).toEqual([])
    expect(await countRuns()).toBe(runs)
  })

  test('of a draft tells what differs', async () => {
    const task = await saveTask(posts.replace('return', 'log("old"); return'))
    const recorded = await runTask(task)
    const draft = posts.replace('a: 1', 'a: 22').replace('return', 'log("new"); return "now " +')
    const { differences, run } = (await replay(task, recorded, { script: scriptOf(draft) })).body
    expect(run).toMatchObject({ version: 0, status: 'succeeded' })
    expect(differences.result).toContain('+now 200answer to Bearer [secret TOKEN]')
    expect(differences.log).toMatch(/-info: old[^]*\+info: new/)
    expect(differences.calls).toMatch(
      /-POST .*\/in, body of 7 bytes .* → 200[^]*\+POST .*\/in, body of 8 bytes .* → 200/,
    )
  })

  test('fails a call that the run has not made, and repeats one that failed', async () => {
    const failing = `try { await http.get('https://other.example/x') } catch (error) { log(error.message) }`
    const task = await saveTask(failing)
    const recorded = await runTask(task)
    expect((await replay(task, recorded)).body.differences).toEqual(same)
    const script = scriptOf(`${failing}; await http.get('SERVICE/more')`)
    const { run, differences } = (await replay(task, recorded, { script })).body
    expect(run.error?.message).toContain(`the recorded run has not made this call: GET http://${host}/more`)
    expect(differences.calls).toContain('+GET')
    expect(seen).toEqual([])
  })

  test('answers idp as it was then', async () => {
    const request = await submit(alice, (await it.template()).id)
    const task = await saveTask(`return (await idp.getAccessRequest(config.get('request_id'))).status`)
    const recorded = await runTask(task, { request_id: request.id })
    expect(recorded.result).toBe('pending')
    await admin.call('POST', `/access-requests/${request.id}/revoke`)
    const { body } = await replay(task, recorded)
    expect(body).toMatchObject({ differences: same, run: { result: 'pending', request_id: request.id } })
  })

  test('says of an answer that was too large that it is not there', async () => {
    large = 'x'.repeat(300_000)
    const task = await saveTask(`return String((await http.get('SERVICE/large')).body.length)`)
    const recorded = await runTask(task)
    expect(recorded.result).toBe('300000')
    expect((await replay(task, recorded)).body.run.error?.message).toContain('too large to be kept')
  })

  test('holds no secret, and goes with its run', async () => {
    const recorded = await runTask(await saveTask(posts))
    const find = () =>
      rows<{ recording: string }>(
        it.sql`select recording from script_run_recordings where run_id = ${recorded.id}`,
      )
    const [kept] = await find()
    expect(kept?.recording).toContain('[secret TOKEN]')
    expect(kept?.recording).not.toContain('CaNaRy')
    await it.sql`delete from script_runs where id = ${recorded.id}`
    expect(await find()).toEqual([])
  })
})

describe('a replay refuses', () => {
  let task: ScriptTask
  let recorded: Run
  beforeAll(async () => {
    task = await saveTask(`return 'done'`)
    recorded = await runTask(task)
  })

  test('whoever does not manage', async () => {
    expect((await replay(task, recorded, {}, alice)).body.code).toBe('forbidden')
  })

  test('a task and a run that are not there', async () => {
    expect((await replay({ id: randomUUID() }, recorded)).status).toBe(404)
    expect((await replay(task, { id: randomUUID() })).status).toBe(404)
  })

  test('the run of another task', async () => {
    expect((await replay(await saveTask(`return 1`), recorded)).status).toBe(404)
  })

  test('a test run, which nobody has kept', async () => {
    expect((await replay(task, (await testTask(task)).body)).status).toBe(404)
  })

  test('a draft that does not compile, and fields that it does not know', async () => {
    expect((await replay(task, recorded, { script: 'export const' })).body.code).toBe('script_invalid')
    const { status, body } = await replay(task, recorded, { make_calls: true })
    expect([status, body]).toMatchObject([422, { errors: [{ pointer: '/make_calls' }] }])
  })

  test('a run that has no recording', async () => {
    const run = await runTask(task)
    await it.sql`delete from script_run_recordings where run_id = ${run.id}`
    expect((await replay(task, run)).status).toBe(422)
  })
})
