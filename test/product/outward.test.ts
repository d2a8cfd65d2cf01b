import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'

import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { rows } from '../../db/client.ts'
import type { Run, ScriptTask } from '../../domain/script-task.ts'
import { triggerWorkflowId, workflowId } from '../../workflows/contract.ts'
import { startHttp } from '../egress/servers.ts'
import type { LocalServer } from '../egress/servers.ts'
import { eventually, getRequest, startTestProduct, submit } from '../setup/product.ts'
import type { Answer, Caller, TestProduct } from '../setup/product.ts'

type Seen = { method: string; url: string; headers: IncomingHttpHeaders; body: string }

let it: TestProduct
let admin: Caller
let alice: Caller
let bob: Caller
let service: LocalServer
let host: string
let seen: Seen[] = []
let status = 200
let answer = 'ok'

beforeAll(async () => {
  service = await startHttp((request, response) => {
    const { method = '', url = '', headers } = request
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => {
      seen.push({ method, url, headers, body })
      response.writeHead(status)
      response.end(url.startsWith('/echo') ? `${url} ${body} ${JSON.stringify(headers)}` : answer)
    })
  })
  host = `localhost:${service.port}`
  it = await startTestProduct({ allow_private_egress: true })
  ;[admin, alice, bob] = (await Promise.all(['admin', 'alice', 'bob'].map(it.as))) as [Caller, Caller, Caller]
})
afterAll(() => Promise.all([it.close(), service.close()]))
beforeEach(() => {
  seen = []
  status = 200
  answer = 'ok'
})

/** What the service was asked for; runs of earlier tests may still be calling it. */
const asked = (path: string) => seen.filter(({ url }) => url.startsWith(path))

const reference = (name: string) => readFileSync(new URL(`../../scripts/${name}.ts`, import.meta.url), 'utf8')

async function putSecret(name: string, value: string, hosts: string[] = [host]): Promise<void> {
  expect((await admin.call('PUT', `/secrets/${name}`, { value, hosts })).status).toBe(200)
}

const save = (changes: Record<string, unknown>): Promise<Answer<ScriptTask & { errors?: unknown }>> =>
  admin.call('POST', '/scheduled-tasks', { name: randomUUID(), egress_hosts: [host], ...changes })

async function saveTask(script: string, changes: Record<string, unknown> = {}): Promise<ScriptTask> {
  const { status, body } = await save({ script, ...changes })
  expect(body).toMatchObject({ script })
  expect(status).toBe(201)
  return body
}

async function runNow(script: string, changes: Record<string, unknown> = {}, body = {}): Promise<Run> {
  const task = await saveTask(script, changes)
  const answer = await admin.call<Run>('POST', `/scheduled-tasks/${task.id}/run`, body)
  expect(answer.status).toBe(200)
  return answer.body
}

/** Runs the body of an async `run`, where SERVICE stands for the address of the local service. */
const runBody = (body: string, changes: Record<string, unknown> = {}, input = {}) =>
  runNow(`export async function run() { ${body.replaceAll('SERVICE', `http://${host}`)} }`, changes, input)

async function requestUnder(task: ScriptTask, mode: string, changes: Record<string, unknown> = {}) {
  const template = await it.template({
    trigger_task_id: task.id,
    trigger_task_failure_mode: mode,
    ...changes,
  })
  return submit(alice, template.id, { ticket: 'CHG-1' })
}

const runOf = (request_id: string, trigger: string): Promise<Run> =>
  eventually(`the ${trigger} run`, async () => {
    const [run] = await rows<Run>(it.sql`
      select * from script_runs where request_id = ${request_id} and trigger = ${trigger} and status <> 'running'`)
    return run
  })

const approve = (id: string) =>
  bob.call<{ status: string; code: string; run_message: string }>('POST', `/access-requests/${id}/approve`)

describe('an http call', () => {
  test('goes to a host on the list, and is written down', async () => {
    const run = await runBody(
      `const { status, body } = await http.post('SERVICE/in?x=1', { a: 1 }); return status + body`,
    )
    expect(run).toMatchObject({ status: 'succeeded', result: '200ok' })
    expect(asked('/in')).toMatchObject([{ method: 'POST', url: '/in?x=1', body: '{"a":1}' }])
    expect(run.calls).toMatchObject([
      {
        method: 'POST',
        host: 'localhost',
        path: '/in',
        status: 200,
        bytes_sent: 7,
        bytes_received: 2,
        error: null,
      },
    ])
    expect(run.calls[0]?.ms).toBeGreaterThanOrEqual(0)
  })

  test('is refused toward any other, and that is written down too', async () => {
    const run = await runBody(`await http.get('https://elsewhere.example/x')`)
    const error = 'elsewhere.example is not in the egress_hosts of the task'
    expect(run).toMatchObject({ status: 'failed', ended_by: 'host_call' })
    expect(run.error?.message).toContain(error)
    expect(run.calls).toMatchObject([{ host: 'elsewhere.example', status: null, error }])
  })

  test('carries a key of the run with every POST, another for each, unless the script has one', async () => {
    const run = await runBody(`
      await http.post('SERVICE/key/1', 'a'); await http.post('SERVICE/key/2', 'b'); await http.get('SERVICE/key/3')
      await http.post('SERVICE/key/4', 'c', { headers: { 'Idempotency-Key': 'mine' } })`)
    expect(asked('/key').map(({ headers }) => headers['idempotency-key'])).toEqual([
      `${run.id}-1`,
      `${run.id}-2`,
      undefined,
      'mine',
    ])
  })

  test('carries the same key with every attempt at telling of one event', async () => {
    status = 503
    const script = `export const run = async () => { await http.post('http://${host}/try', 'x'); throw new Error('again') }`
    const task = await saveTask(script, { max_retries: 1 })
    await requestUnder(task, 'retry')
    await eventually('two attempts', async () => asked('/try').length === 2)
    const keys = asked('/try').map(({ headers }) => headers['idempotency-key'])
    expect(keys[0]).toBeDefined()
    expect(new Set(keys).size).toBe(1)
  })

  test('that is under way when the run ends is written down as that', async () => {
    const run = await runBody(`void http.get('SERVICE/x').catch(() => {}); return 'gone'`)
    expect(run).toMatchObject({ result: 'gone', calls: [{ path: '/x' }] })
  })
})

describe('the list of hosts of a task', () => {
  test.each(['https://hooks.slack.com', '*', '*.com', '2130706433:80', 'a b', ''])(
    'refuses %j',
    async (entry) => {
      const answer = await save({
        script: 'export const run = () => ""',
        egress_hosts: ['ok.example', entry],
      })
      expect(answer.status).toBe(422)
      expect(answer.body.errors).toMatchObject([{ pointer: '/egress_hosts/1' }])
    },
  )
})

const canary = 'CaNaRy/7f3a+9c"e4b0'

describe('a secret', () => {
  beforeAll(() => putSecret('TOKEN', canary))

  test('reaches the service, and neither script, result, log, error nor calls', async () => {
    const run = await runBody(`
      const token = secrets.get('TOKEN')
      const { body, headers } = await http.post('SERVICE/echo/' + token + '?key=' + token, { token },
        { headers: { authorization: 'Bearer ' + token } })
      log(body, token)
      if (body.includes('CaNa' + 'Ry')) throw new Error('the script has it')
      return JSON.stringify([body, headers, token, config.get('x')])`)
    const [got] = asked('/echo/')
    expect(got?.headers.authorization).toBe(`Bearer ${canary}`)
    expect(JSON.parse(got?.body ?? '')).toEqual({ token: canary })
    expect(new URL(`http://x${got?.url}`).searchParams.get('key')).toBe(canary)
    expect(run.status).toBe('succeeded')
    expect(run.result).toContain('[secret TOKEN]')
    expect(run.log[0]?.text).toContain('[secret TOKEN]')
    expect(run.calls).toMatchObject([{ path: '/echo/[secret TOKEN]', status: 200 }])
    expect(JSON.stringify(run).toLowerCase()).not.toContain('canary')
  })

  test('echoed in an encoding stays out as well', async () => {
    answer = [
      Buffer.from(`user:${canary}`).toString('base64'),
      encodeURIComponent(canary),
      JSON.stringify(canary),
    ].join('\n')
    const run = await runBody(
      `const { body } = await http.post('SERVICE/x', secrets.get('TOKEN')); throw new Error(body)`,
    )
    expect(run.error?.message.match(/\[secret TOKEN\]/g)).toHaveLength(3)
  })

  test('is not sent to a host that is the task’s and not its own', async () => {
    await putSecret('KEPT', canary, ['kept.example'])
    const run = await runBody(`await http.post('SERVICE/kept', { a: secrets.get('KEPT') })`)
    expect(run.error?.message).toContain('the secret KEPT may not be sent to localhost')
    expect(asked('/kept')).toEqual([])
  })

  test('is not sent to a host that is its own and not the task’s', async () => {
    await putSecret('WIDE', canary, ['other.example', host])
    const run = await runBody(`await http.post('https://other.example/', { a: secrets.get('WIDE') })`)
    expect(run.error?.message).toContain('other.example is not in the egress_hosts')
  })

  test('that does not exist is an error that says so', async () => {
    const run = await runBody(`return secrets.get('NO_SUCH')`)
    expect(run.error?.message).toContain('NO_SUCH')
  })

  test('in a block run is masked in what the approver is told', async () => {
    const script = `export async function run() {
      const { body } = await http.post('http://${host}/echo', secrets.get('TOKEN')); throw new Error(body) }`
    const { id } = await requestUnder(await saveTask(script), 'block')
    const refused = await approve(id)
    expect(refused.body).toMatchObject({ code: 'trigger_task_blocked' })
    expect(refused.body.run_message).toContain('[secret TOKEN]')
    expect(JSON.stringify(refused.body)).not.toContain('CaNaRy')
    expect(JSON.stringify(await getRequest(alice, id))).not.toContain('CaNaRy')
  })
})

describe('idp', () => {
  const asks = (call: string) =>
    `export const run = async () => JSON.stringify(await idp.${call}(config.get('asked') || config.get('request_id')))`

  test('tells of the request of the event, by name what it tells', async () => {
    const task = await saveTask(asks('getAccessRequest'))
    const { id, justification } = await requestUnder(task, 'ignore')
    const run = await runOf(id, 'created')
    const told = JSON.parse(run.result ?? '') as Record<string, unknown>
    expect(told).toMatchObject({ id, status: 'pending', justification, ticket: 'CHG-1' })
    expect(Object.keys(told)).not.toContain('custom_answers')
    expect(Object.keys(told)).not.toContain('comment')
  })

  test('tells of the approvers, under both spellings', async () => {
    const task = await saveTask(asks('getAccessRequestApprovers'))
    const run = await runOf((await requestUnder(task, 'ignore')).id, 'created')
    const dana = (await it.as('dana')).id
    expect(JSON.parse(run.result ?? '')).toEqual([
      { id: bob.id, email: 'bob@example.com', display_name: 'Bob', Email: 'bob@example.com' },
      { id: dana, email: 'dana@example.com', display_name: 'Dana', Email: 'dana@example.com' },
    ])
  })

  test.each(['getAccessRequest', 'getAccessRequestApprovers'])(
    '%s refuses every other request',
    async (call) => {
      const other = await submit(alice, (await it.template()).id)
      const task = await saveTask(asks(call), { config: { asked: other.id } })
      const run = await runOf((await requestUnder(task, 'ignore')).id, 'created')
      expect(run.error?.message).toContain('only about the access request of its own event')
    },
  )

  test('has nothing to tell a run without a request', async () => {
    const run = await runNow(asks('getAccessRequest'), {}, { event: { request_id: randomUUID() } })
    expect(run.error?.message).toContain('this run has no access request')
  })
})

describe('slack_notifier', () => {
  test('posts what the documentation says, to the address that only the secret holds', async () => {
    const path = '/services/T0000/B0000/cAnArYwebhook'
    await putSecret('SLACK_WEBHOOK', `http://${host}${path}`)
    const task = await saveTask(reference('slack_notifier'))
    const { id, template_name } = await requestUnder(task, 'ignore')
    const run = await runOf(id, 'created')
    expect(run).toMatchObject({ status: 'succeeded', result: 'notified' })
    const [posted] = asked('/services')
    expect(posted).toMatchObject({
      method: 'POST',
      url: path,
      headers: { 'content-type': 'application/json' },
    })
    expect(JSON.parse(posted?.body ?? '')).toEqual({
      text: `${template_name} access requested by alice@example.com — approvers: bob@example.com, dana@example.com`,
    })
    expect(JSON.stringify(run)).not.toContain('T0000')
  })

  test('fails where Slack does not take it', async () => {
    status = 404
    const task = await saveTask(reference('slack_notifier'))
    const run = await runOf((await requestUnder(task, 'ignore')).id, 'created')
    expect(run).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('404') } })
  })
})

describe('freeze_window', () => {
  const hours = (count: number) => new Date(Date.now() + count * 3_600_000).toISOString()
  const blockedBy = async (config: Record<string, string>) =>
    requestUnder(await saveTask(reference('freeze_window'), { config }), 'block')

  test('refuses an approval inside of the window', async () => {
    const freeze_until = hours(1)
    const { id } = await blockedBy({ freeze_from: hours(-1), freeze_until })
    expect((await approve(id)).body).toMatchObject({
      code: 'trigger_task_blocked',
      run_message: expect.stringContaining(`changes are frozen until ${freeze_until}`),
    })
  })

  test.each([
    ['before', 1, 2],
    ['after', -2, -1],
  ])('lets one pass %s it', async (_, from, until) => {
    const { id } = await blockedBy({ freeze_from: hours(from), freeze_until: hours(until) })
    expect((await approve(id)).body.status).toBe('approved')
  })

  test.each([
    ['none', {}, 'freeze_from must be a time'],
    ['a day', { freeze_from: '2026-12-18', freeze_until: '2027-01-02' }, 'freeze_from must be a time'],
    ['an empty one', { freeze_from: hours(1), freeze_until: hours(-1) }, 'must be before'],
  ])('refuses where the window is %s', async (_, config, reason) => {
    const run = await runNow(reference('freeze_window'), { config })
    expect(run.error?.message).toContain(reason)
  })
})

describe('change_ticket', () => {
  const withConfig = (config: Record<string, string> = {}) =>
    saveTask(reference('change_ticket'), {
      config: { ticket_url: `http://${host}/changes/{ticket}`, ...config },
    })

  test('lets an approval pass while the ticket of the request is open', async () => {
    answer = JSON.stringify({ status: 'open' })
    await putSecret('CHANGE_TOKEN', 'token-of-the-service')
    const { id } = await requestUnder(await withConfig({ ticket_auth: 'bearer' }), 'block')
    expect((await approve(id)).body.status).toBe('approved')
    expect(await runOf(id, 'approved')).toMatchObject({ result: 'CHG-1 is open' })
    expect(asked('/changes/CHG-1').at(-1)?.headers.authorization).toBe('Bearer token-of-the-service')
  })

  test('refuses while it is closed, unknown, or cannot be asked for', async () => {
    answer = JSON.stringify({ status: 'closed' })
    const { id } = await requestUnder(await withConfig(), 'block')
    expect((await approve(id)).body.run_message).toContain('the change ticket CHG-1 is not open')
    status = 404
    expect((await approve(id)).body.run_message).toContain('there is no change ticket CHG-1')
    status = 500
    expect((await approve(id)).body.run_message).toContain('the change service answered 500')
    expect((await getRequest(alice, id)).status).toBe('pending')
  })

  test('takes the ticket from the answer to a custom field', async () => {
    answer = JSON.stringify({ status: 'open' })
    const task = await withConfig({ ticket_field: 'Change' })
    const run = await admin.call<Run>('POST', `/scheduled-tasks/${task.id}/run`, {
      event: { 'custom_answers.Change': 'CHG-77' },
    })
    expect(run.body).toMatchObject({ result: 'CHG-77 is open' })
    expect(asked('/changes/CHG-77')).toHaveLength(1)
  })

  test.each(['', '../admin', 'CHG-1?x=1', 'a b'])('asks nothing for the ticket %j', async (ticket) => {
    const task = await withConfig({ ticket_field: 'Change' })
    const run = await admin.call<Run>('POST', `/scheduled-tasks/${task.id}/run`, {
      event: { 'custom_answers.Change': ticket },
    })
    expect(run.body.error?.message).toContain('the request names no change ticket')
    expect(run.body.calls).toEqual([])
  })
})

test('no value of a secret is in the database, nor in a history', async () => {
  const planted = ['CaNaRy', 'cAnArYwebhook', 'token-of-the-service']
  const forms = planted.flatMap((value) => [value, Buffer.from(value).toString('hex')])
  const tables = await rows<{ name: string }>(
    it.sql`select table_name as name from information_schema.tables where table_schema = 'public'`,
  )
  for (const { name } of tables) {
    const dump = await rows<{ text: string }>(it.sql`select t::text as text from ${it.sql(name)} t`)
    const text = dump.map((row) => row.text).join('\n')
    expect(
      forms.filter((form) => text.includes(form)),
      name,
    ).toEqual([])
  }
  const requests = await rows<{ id: string }>(it.sql`select id from access_requests`)
  const ids = requests.flatMap(({ id }) => [workflowId(id), triggerWorkflowId(id, 'created')])
  let events = 0
  for (const id of ids) {
    const history = await it.client.workflow
      .getHandle(id)
      .fetchHistory()
      .catch(() => undefined)
    const text = history ? historyToJSON(history) : ''
    const decoded = text.replaceAll(/"data": ?"([\w+/=]+)"/g, (_, data: string) =>
      Buffer.from(data, 'base64').toString(),
    )
    events += history?.events?.length ?? 0
    expect(
      planted.filter((value) => decoded.includes(value)),
      id,
    ).toEqual([])
  }
  expect(events).toBeGreaterThan(100)
})
