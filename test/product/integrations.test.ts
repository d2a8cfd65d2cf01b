import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'

import { rows } from '../../db/client.ts'
import type { AccessRequest } from '../../domain/access-request.ts'
import type { Run, ScriptTask } from '../../domain/script-task.ts'
import { startHttp } from '../egress/servers.ts'
import { startGate } from '../setup/gate.ts'
import { eventually, startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

// A run takes seconds where other test files keep the machine busy.
vi.setConfig({ testTimeout: 120_000 })

let it: TestProduct
let alice: Caller
let bob: Caller
let admin: Caller

beforeAll(async () => {
  it = await startTestProduct({ allow_private_egress: true })
  ;[alice, bob, admin] = (await Promise.all(['alice', 'bob', 'admin'].map(it.as))) as [Caller, Caller, Caller]
})
afterEach(async () => {
  for (const { id } of bound.splice(0)) await admin.call('DELETE', `/scheduled-tasks/${id}`)
})
afterAll(() => it.close())

/** What a test has bound would hear the requests of the next. */
const bound: ScriptTask[] = []

const decide = (caller: Caller, verb: string, { id }: { id: string }) =>
  caller.call<AccessRequest>('POST', `/access-requests/${id}/${verb}`)

async function bind(
  events: string[],
  script: string,
  overrides: Record<string, unknown> = {},
): Promise<ScriptTask> {
  const { body, status } = await admin.call<ScriptTask>('POST', '/scheduled-tasks', {
    name: `Task ${randomUUID()}`,
    script,
    events: events.map((event) => `access_request.${event}`),
    ...overrides,
  })
  expect(status).toBe(201)
  bound.push(body)
  return body
}

const change = ({ id, name, script }: ScriptTask, overrides: Record<string, unknown>) =>
  admin.call<ScriptTask>('PUT', `/scheduled-tasks/${id}`, { name, script, ...overrides })

async function runsOf(task: ScriptTask, request: { id: string }): Promise<Run[]> {
  const { body } = await admin.call<{ data: Run[] }>('GET', `/scheduled-tasks/${task.id}/runs?limit=200`)
  return body.data.filter(({ request_id }) => request_id === request.id).toReversed()
}

const ended = (task: ScriptTask, request: { id: string }, count: number) =>
  eventually(
    `${count} run(s) that have ended`,
    async () => {
      const runs = await runsOf(task, request)
      return runs.length >= count && runs.every(({ status }) => status !== 'running') && runs
    },
    60_000,
  )

type DeliveryRow = { state: string; workflow_id: string; event_id: string; event_type: string }
const deliveriesOf = ({ id }: { id: string }, task: ScriptTask) =>
  rows<DeliveryRow>(it.sql`
    select state, workflow_id, event_id, event_type from deliveries
    where request_id = ${id} and task_id = ${task.id} order by seq`)

const settled = (request: { id: string }, task: ScriptTask, count: number) =>
  eventually(
    `${count} delivery(s) that have ended`,
    async () => {
      const found = await deliveriesOf(request, task)
      return found.filter(({ state }) => !['waiting', 'started'].includes(state)).length >= count && found
    },
    60_000,
  )

const tells = `export const run = () => config.get('event.type')`
const refuses = `export const run = () => { throw new Error('no') }`
const slow = `export const run = () => {
  const end = Date.now() + (config.get('event.type').endsWith('submitted') ? 600 : 0)
  while (Date.now() < end);
  return config.get('event.type')
}`

describe('an event', () => {
  test('is told to every task that is bound to it, by a workflow that operators find, and to no other', async () => {
    const [one, other, deaf] = [
      await bind(['submitted'], tells),
      await bind(['submitted', 'denied'], tells),
      await bind(['approved'], tells),
    ]
    const request = await submit(alice, (await it.template()).id)
    const [run] = await ended(one, request, 1)
    await ended(other, request, 1)
    const [delivery] = await settled(request, one, 1)
    expect(run).toMatchObject({
      trigger: 'access_request.submitted',
      status: 'succeeded',
      request_id: request.id,
      event_id: delivery?.event_id,
      attempt: 1,
      result: 'access_request.submitted',
    })
    expect(delivery?.workflow_id).toBe(`integration/${one.name}/${delivery?.event_id}`)
    const handle = it.client.workflow.getHandle(delivery?.workflow_id ?? '')
    expect(await handle.result()).toBe(`${one.name} v1 succeeded`)
    expect(await runsOf(deaf, request)).toEqual([])
  })

  test('is told with every member of its payload, bare and under event.', async () => {
    const keys = [
      'request_id',
      'template_name',
      'requester_email',
      'notified_approvers',
      'type',
      'id',
      'nothing',
    ]
    const script = `export const run = () => JSON.stringify(${JSON.stringify(keys)}.map((key) => [config.get(key), config.get('event.' + key)]))`
    const task = await bind(['submitted'], script)
    const template = await it.template()
    const request = await submit(alice, template.id)
    const [run] = await ended(task, request, 1)
    const [id, name, email, told, type, event_id, nothing] = JSON.parse(run?.result ?? '[]') as string[][]
    expect(id).toEqual([request.id, request.id])
    expect(name).toEqual([template.name, template.name])
    expect(email).toEqual(['alice@example.com', 'alice@example.com'])
    expect(told).toEqual(['bob@example.com, dana@example.com', 'bob@example.com, dana@example.com'])
    expect(type).toEqual(['', 'access_request.submitted'])
    expect(event_id).toEqual(['', run?.event_id])
    expect(nothing).toEqual(['', ''])
  })

  test('comes to a task that is the trigger task of the template as well: two runs, under two names', async () => {
    const task = await bind(['submitted'], `export const run = () => config.get('request_id')`)
    const template = await it.template({ trigger_task_id: task.id, trigger_task_failure_mode: 'ignore' })
    const request = await submit(alice, template.id)
    const runs = await ended(task, request, 2)
    expect(runs.map(({ trigger }) => trigger).sort()).toEqual(['access_request.submitted', 'created'])
    expect(runs.map(({ result }) => result)).toEqual([request.id, request.id])
    expect(new Set(runs.map(({ event_id }) => event_id)).size).toBe(1)
  })

  test('whose end the sweep made is told as well', async () => {
    const task = await bind(['expired'], tells)
    const request = await submit(alice, (await it.template()).id)
    await decide(bob, 'approve', request)
    await it.sql`alter table access_requests disable trigger access_requests_lifecycle`
    await it.sql`update access_requests set expires_at = now() - interval '1 hour' where id = ${request.id}`
    await it.sql`alter table access_requests enable trigger access_requests_lifecycle`
    await it.client.workflow.execute('accessRequestExpiry', {
      workflowId: `sweep-${randomUUID()}`,
      taskQueue: it.queue,
      args: [],
    })
    expect((await ended(task, request, 1))[0]?.result).toBe('access_request.expired')
  })
})

describe('an outward call', () => {
  type Post = { key: string | undefined; body: string }

  /** Looks like Slack; the first answers are failures. */
  async function startSlack(failures = 0) {
    const posts: Post[] = []
    const server = await startHttp((request, response) => {
      let body = ''
      request.on('data', (chunk) => (body += String(chunk)))
      request.on('end', () => {
        posts.push({ key: request.headers['idempotency-key'] as string | undefined, body })
        response.writeHead(posts.length > failures ? 200 : 503).end('ok')
      })
    })
    const host = `localhost:${server.port}`
    const value = `http://${host}/services/T000/B000/XXXX`
    await admin.call('PUT', '/secrets/SLACK_WEBHOOK', { value, hosts: [host] })
    return { posts, server, host }
  }

  const notifier = () => readFile(new URL('../../scripts/slack_notifier.ts', import.meta.url), 'utf8')

  test('of slack_notifier, bound to the submission, tells Slack what the documentation says', async () => {
    const { posts, server, host } = await startSlack()
    const task = await bind(['submitted'], await notifier(), { egress_hosts: [host] })
    const template = await it.template()
    const request = await submit(alice, template.id)
    expect((await ended(task, request, 1))[0]).toMatchObject({ status: 'succeeded', result: 'notified' })
    const text = `${String(template.name)} access requested by alice@example.com — approvers: bob@example.com, dana@example.com`
    expect(posts.map(({ body }) => JSON.parse(body) as unknown)).toEqual([{ text }])
    await server.close()
  })

  test('says at every attempt that it tells of the same event, and of another where a template fires it', async () => {
    const { posts, server, host } = await startSlack(1)
    const task = await bind(['submitted'], await notifier(), { egress_hosts: [host], max_retries: 1 })
    const request = await submit(alice, (await it.template()).id)
    await ended(task, request, 2)
    expect(posts).toHaveLength(2)
    expect(posts[0]?.key).toBe(posts[1]?.key)
    const template = await it.template({ trigger_task_id: task.id, trigger_task_failure_mode: 'ignore' })
    await ended(task, await submit(alice, template.id), 2)
    expect(new Set(posts.map(({ key }) => key)).size).toBe(3)
    await server.close()
  })
})

describe('the events of one request', () => {
  test('come in their order, each when the one before has ended', async () => {
    const task = await bind(['submitted', 'approved', 'revoked'], slow)
    const request = await submit(alice, (await it.template()).id)
    await decide(bob, 'approve', request)
    await decide(alice, 'revoke', request)
    const runs = await ended(task, request, 3)
    expect(runs.map(({ result }) => result)).toEqual(
      ['submitted', 'approved', 'revoked'].map((name) => `access_request.${name}`),
    )
    const ends = runs.map(({ started_at, duration_ms }) => Date.parse(started_at) + (duration_ms ?? 0))
    expect(Date.parse(runs[1]?.started_at ?? '')).toBeGreaterThanOrEqual(ends[0] ?? 0)
    expect(Date.parse(runs[2]?.started_at ?? '')).toBeGreaterThanOrEqual(ends[1] ?? 0)
  })

  test('do not wait for those of another request or another task', async () => {
    const stuck = await bind(['submitted'], refuses, { max_retries: 9 })
    const task = await bind(['submitted'], tells)
    const request = await submit(alice, (await it.template()).id)
    const other = await submit(alice, (await it.template()).id)
    await ended(task, request, 1)
    await ended(stuck, other, 1)
    expect((await deliveriesOf(request, stuck)).map(({ state }) => state)).toEqual(['started'])
  })

  test('go on after one that the script refused 1 + max_retries times', async () => {
    const script = `export const run = () => { if (config.get('event.type').endsWith('submitted')) throw new Error('no'); return 'fine' }`
    const task = await bind(['submitted', 'denied'], script, { max_retries: 1 })
    const request = await submit(alice, (await it.template()).id)
    await decide(bob, 'deny', request)
    const runs = await ended(task, request, 3)
    expect(runs.map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, 'failed'],
      [2, 'failed'],
      [1, 'succeeded'],
    ])
    const found = await settled(request, task, 2)
    expect(found.map(({ state }) => state)).toEqual(['failed', 'succeeded'])
    const handle = it.client.workflow.getHandle(found[0]?.workflow_id ?? '')
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'script_failed' } })
  })
})

describe('an event is not told', () => {
  test('to a task that is disabled, and not later when it is enabled again', async () => {
    const task = await bind(['submitted', 'denied'], tells, { enabled: false })
    const request = await submit(alice, (await it.template()).id)
    await eventually('the event to be looked at', async () => {
      const left = await rows(it.sql`
        select 1 from outbox_events where request_id = ${request.id} and fanned_out_at is null`)
      return left.length === 0
    })
    await change(task, { events: ['access_request.submitted', 'access_request.denied'] })
    await decide(bob, 'deny', request)
    expect((await ended(task, request, 1)).map(({ result }) => result)).toEqual(['access_request.denied'])
  })

  test('to a task that was unbound, disabled or deleted before its turn came', async () => {
    const gate = await startGate()
    const waits = { egress_hosts: [gate.host], timeout_seconds: 300 }
    const tasks = [
      await bind(['submitted', 'denied'], gate.script, waits),
      await bind(['submitted', 'denied'], gate.script, waits),
      await bind(['submitted', 'denied'], gate.script, waits),
    ] as const
    const request = await submit(alice, (await it.template()).id)
    await decide(bob, 'deny', request)
    await eventually(
      'the deliveries',
      async () => {
        const found = await Promise.all(tasks.map((task) => deliveriesOf(request, task)))
        return found.every((deliveries) => deliveries.length === 2 && deliveries[0]?.state === 'started')
      },
      60_000,
    )
    await change(tasks[0], { events: ['access_request.submitted'] })
    await change(tasks[1], { events: ['access_request.denied'], enabled: false })
    expect((await admin.call('DELETE', `/scheduled-tasks/${tasks[2].id}`)).status).toBe(204)
    gate.open()
    for (const task of tasks.slice(0, 2)) {
      expect((await settled(request, task, 2)).map(({ state }) => state)[1]).toBe('skipped')
      const runs = await runsOf(task, request)
      expect(runs.map(({ trigger }) => trigger)).not.toContain('access_request.denied')
    }
    expect(await deliveriesOf(request, tasks[2])).toEqual([])
    await gate.close()
  })

  test('twice: one that was started twice at once is delivered once', async () => {
    const task = await bind(['submitted'], tells)
    const request = await submit(alice, (await it.template()).id)
    const [delivery] = await settled(request, task, 1)
    const workflowId = delivery?.workflow_id ?? ''
    const { id } = (
      await rows<{ id: string }>(it.sql`select id from deliveries where workflow_id = ${workflowId}`)
    )[0] ?? { id: '' }
    const again = await it.client.workflow.execute('integrationDelivery', {
      workflowId: `${workflowId}/again`,
      taskQueue: it.queue,
      args: [{ delivery_id: id }],
    })
    expect(again).toMatch(/^nothing to deliver/)
    expect(await runsOf(task, request)).toHaveLength(1)
  })
})

describe('a binding is refused', () => {
  test.each([
    ['to an event that does not exist', ['access_request.forgotten'], '/events/0'],
    ['to the name of a trigger event', ['approved'], '/events/0'],
    ['twice to the same event', ['access_request.denied', 'access_request.denied'], '/events'],
    ['to something that is no list', 'access_request.denied', '/events'],
  ])('%s', async (_, events, pointer) => {
    const answer = await admin.call('POST', '/scheduled-tasks', { name: randomUUID(), script: tells, events })
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid_request', errors: [{ pointer }] } })
  })

  test('to whoever may not manage scripts', async () => {
    const answer = await alice.call('POST', '/scheduled-tasks', {
      name: randomUUID(),
      script: tells,
      events: ['access_request.approved'],
    })
    expect(answer.status).toBe(403)
  })
})

describe('an operator who terminates a delivery', () => {
  test('does not lose it: its workflow is started again, and the events after it follow', async () => {
    const task = await bind(['submitted', 'denied'], refuses, { max_retries: 5 })
    const request = await submit(alice, (await it.template()).id)
    await decide(bob, 'deny', request)
    await ended(task, request, 2)
    const [first] = await deliveriesOf(request, task)
    await it.client.workflow.getHandle(first?.workflow_id ?? '').terminate('a slip of the hand')
    const { id, name } = task
    await admin.call('PUT', `/scheduled-tasks/${id}`, { name, script: tells, events: task.events })
    await it.sql`update deliveries set next_attempt_at = now() where request_id = ${request.id}`
    const found = await settled(request, task, 2)
    expect(found.map(({ state }) => state)).toEqual(['succeeded', 'succeeded'])
  })
})
