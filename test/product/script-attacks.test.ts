import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { WorkflowNotFoundError } from '@temporalio/client'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'

import { rows } from '../../db/client.ts'
import type { ShownDelivery } from '../../domain/delivery.ts'
import type { Run, ScriptTask } from '../../domain/script-task.ts'
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
  it = await startTestProduct({
    allow_private_egress: true,
    sandbox: { max_concurrent: { block: 1, ordinary: 1 } },
  })
  ;[alice, bob, admin] = (await Promise.all(['alice', 'bob', 'admin'].map(it.as))) as [Caller, Caller, Caller]
})
afterEach(async () => {
  for (const { id } of saved.splice(0)) await admin.call('DELETE', `/scheduled-tasks/${id}`)
})
afterAll(() => it.close())

const says = `export const run = () => config.get('event.type') + config.get('trigger_event')`
const refuses = `export const run = () => { throw new Error('no') }`

/** What a test has bound would hear the requests of the next. */
const saved: ScriptTask[] = []

async function save(script: string, overrides: Record<string, unknown> = {}): Promise<ScriptTask> {
  const input = { name: `Task ${randomUUID()}`, script, ...overrides }
  const { body, status } = await admin.call<ScriptTask>('POST', '/scheduled-tasks', input)
  expect(status).toBe(201)
  saved.push(body)
  return body
}

async function change({ id, name }: ScriptTask, input: Record<string, unknown>): Promise<void> {
  expect((await admin.call('PUT', `/scheduled-tasks/${id}`, { name, ...input })).status).toBe(200)
}

const deny = ({ id }: { id: string }) => bob.call('POST', `/access-requests/${id}/deny`)

const runsOf = ({ id }: { id: string }, task: ScriptTask) =>
  rows<Run>(it.sql`
    select * from script_runs where request_id = ${id} and task_id = ${task.id} order by started_at`)

const ended = (request: { id: string }, task: ScriptTask, count: number) =>
  eventually(
    `${count} run(s) that have ended`,
    async () => {
      const found = (await runsOf(request, task)).filter(({ status }) => status !== 'running')
      return found.length >= count && found
    },
    60_000,
  )

type Listed = { data: ShownDelivery[]; next_cursor: string | null }

const listed = ({ id }: { id: string }, query = '', caller = admin) =>
  caller.call<Listed & { code: string }>('GET', `/scheduled-tasks/${id}/deliveries${query}`)

const settled = (task: ScriptTask, count: number) =>
  eventually(
    `${count} delivery(s) that have ended`,
    async () => {
      const { data } = (await listed(task)).body
      return data.length >= count && data.every(({ finished_at }) => finished_at !== null) && data
    },
    60_000,
  )

/** As if the engine's store were new: the workflow is there no more, not even as one that was ended. */
async function lose(workflowId: string): Promise<void> {
  const handle = it.client.workflow.getHandle(workflowId)
  const { runId } = await handle.describe()
  await it.client.workflowService.deleteWorkflowExecution({
    namespace: it.client.options.namespace,
    workflowExecution: { workflowId, runId },
  })
  await eventually('the workflow to be gone', async () => {
    try {
      return (await handle.describe()) && false
    } catch (error) {
      return error instanceof WorkflowNotFoundError
    }
  })
}

test('a script that has to wait for its turn has not failed, however little time it is given', async () => {
  const gate = await startGate()
  const hog = await save(gate.script, { timeout_seconds: 300, egress_hosts: [gate.host] })
  const overrides = { timeout_seconds: 5, max_retries: 0 }
  const bound = await save(says, { ...overrides, events: ['access_request.submitted'] })
  const trigger = await save(says, overrides)
  const template = await it.template({ trigger_task_id: trigger.id })
  const held = admin.call<Run>('POST', `/scheduled-tasks/${hog.id}/run`)
  const request = await submit(alice, template.id)
  for (const task of [bound, trigger])
    await eventually('a run', async () => (await runsOf(request, task)).length === 1, 60_000)
  await sleep(5_500)
  gate.open()
  expect((await held).body).toMatchObject({ status: 'succeeded', result: 'open' })
  for (const task of [bound, trigger])
    expect(await ended(request, task, 1)).toMatchObject([{ attempt: 1, status: 'succeeded' }])
  await gate.close()
})

test('a task that is unbound while its attempts go on is not tried again, and later events follow', async () => {
  const events = ['access_request.submitted', 'access_request.denied']
  const task = await save(refuses, { events, max_retries: 20 })
  const request = await submit(alice, (await it.template()).id)
  await deny(request)
  await ended(request, task, 1)
  await change(task, { script: says, events: ['access_request.denied'] })
  const [denied, submitted] = await settled(task, 2)
  expect([submitted?.state, denied?.state]).toEqual(['skipped', 'succeeded'])
  const told = (await runsOf(request, task)).filter(({ status }) => status === 'succeeded')
  expect(told.map(({ trigger }) => trigger)).toEqual(['access_request.denied'])
})

test('a request that Temporal refuses does not keep the others from their workflows', async () => {
  const { id: template_id } = await it.template()
  const other = await it.template()
  const [refused, open] = [await submit(alice, template_id), await submit(alice, other.id)]
  const handleOf = ({ id }: { id: string }) => it.client.workflow.getHandle(`access-request/${id}`)
  for (const request of [refused, open]) await handleOf(request).terminate('a slip of the hand')
  await it.sql`update access_requests set created_at = now() - interval '1 minute' where id in (${refused.id}, ${open.id})`
  await it.sql`update access_requests set app_name = repeat('x', 100000) where id = ${refused.id}`
  await eventually(
    'the workflow of the other',
    async () => (await handleOf(open).describe()).status.name === 'RUNNING',
    60_000,
  )
  expect((await handleOf(refused).describe()).status.name).toBe('TERMINATED')
  await it.sql`update access_requests set app_name = 'Internal DB' where id = ${refused.id}`
})

test('who manages scripts and nothing else tries none on a request that they may not see', async () => {
  const { body: group } = await admin.call<{ id: string }>('POST', '/groups', {
    name: randomUUID(),
    permissions: ['scripts.manage'],
  })
  const carol = await it.as('carol')
  await admin.call('PUT', `/groups/${group.id}/members/${carol.id}`)
  const { id: request_id } = await submit(alice, (await it.template()).id)
  const script = `export const run = () => config.get('justification')`
  const task = await save(script)
  const attempts = [
    ['/scheduled-tasks/test', { script, request_id }],
    [`/scheduled-tasks/${task.id}/test`, { request_id }],
    [`/scheduled-tasks/${task.id}/run`, { request_id }],
  ] as const
  for (const [path, input] of attempts) {
    expect(await carol.call('POST', path, input)).toMatchObject({
      status: 422,
      body: { code: 'invalid_request', errors: [{ pointer: '/request_id' }] },
    })
    expect((await admin.call<Run>('POST', path, input)).body.result).toBe('The incident.')
  }
  const { id: own } = await submit(carol, (await it.template()).id)
  expect((await carol.call<Run>('POST', `/scheduled-tasks/${task.id}/run`, { request_id: own })).status).toBe(
    200,
  )
})

describe('runs that have much to tell', () => {
  test('keep the beginning of their log, and say that it goes on', async () => {
    const task = await save(
      `export const run = () => { for (let n = 0; n < 400; n++) log('x'.repeat(4000)); return 'done' }`,
    )
    const { body } = await admin.call<Run>('POST', `/scheduled-tasks/${task.id}/run`)
    expect(body).toMatchObject({ status: 'succeeded', result: 'done' })
    expect(body.log.length).toBeLessThan(100)
    expect(body.log.at(-1)?.text).toBe(`${401 - body.log.length} more lines were not kept`)
  })

  test('come in shorter pages, and none is left out', async () => {
    const task = await save(says)
    await it.sql`
      insert into script_runs (id, task_id, task_name, version, trigger, status, log)
      select gen_random_uuid(), ${task.id}, ${task.name}, 1, 'run', 'failed',
        jsonb_build_array(jsonb_build_object('at_ms', 0, 'level', 'info', 'text', repeat('x', 1500000)))
      from generate_series(1, 7)`
    const ids: string[] = []
    const pages: number[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body }: { body: { data: Run[]; next_cursor: string | null } } = await admin.call(
        'GET',
        `/scheduled-tasks/${task.id}/runs?limit=200${cursor && `&cursor=${cursor}`}`,
      )
      ids.push(...body.data.map(({ id }) => id))
      pages.push(body.data.length)
      cursor = body.next_cursor
    }
    expect(pages).toEqual([2, 2, 2, 1])
    expect(ids).toEqual([...new Set(ids)].toSorted().toReversed())
  })
})

describe('the deliveries of a task', () => {
  test('are listed newest first, page by page, with the runs that each has had', async () => {
    const events = ['access_request.submitted', 'access_request.denied']
    const task = await save(refuses, { events, max_retries: 1 })
    const request = await submit(alice, (await it.template()).id)
    await deny(request)
    const [denied, submitted] = await settled(task, 2)
    expect(denied).toEqual({
      id: expect.any(String),
      event_id: expect.any(String),
      event_type: 'access_request.denied',
      request_id: request.id,
      state: 'failed',
      attempts: 2,
      created_at: expect.any(String),
      finished_at: expect.any(String),
    })
    expect(submitted).toMatchObject({ event_type: 'access_request.submitted', state: 'failed', attempts: 2 })
    const first = (await listed(task, '?limit=1')).body
    expect(first.data).toEqual([denied])
    const second = (await listed(task, `?limit=1&cursor=${first.next_cursor}`)).body
    expect(second).toEqual({ data: [submitted], next_cursor: null })
  })

  test('are nobody’s business but the admins’, and those of no task are 404', async () => {
    const task = await save(says)
    expect((await listed(task)).body).toEqual({ data: [], next_cursor: null })
    expect(await listed(task, '', alice)).toMatchObject({ status: 403, body: { code: 'forbidden' } })
    expect(await listed({ id: randomUUID() })).toMatchObject({ status: 404, body: { code: 'not_found' } })
    expect((await listed(task, '?limit=0')).status).toBe(422)
    expect((await listed(task, '?cursor=nonsense')).status).toBe(422)
  })
})

test('the event of a trigger task that has run is settled, and the task does not run again', async () => {
  const task = await save(says)
  const request = await submit(alice, (await it.template({ trigger_task_id: task.id })).id)
  await ended(request, task, 1)
  await it.client.workflow.getHandle(`access-request/${request.id}/trigger/created`).result()
  const find = () =>
    rows<{ settled_at: string | null }>(
      it.sql`select settled_at from outbox_events where request_id = ${request.id}`,
    )
  expect(await find()).toEqual([{ settled_at: null }])
  await it.sql`update outbox_events set next_attempt_at = now() where request_id = ${request.id}`
  await eventually('the event to be settled', async () => (await find())[0]?.settled_at)
  expect(await runsOf(request, task)).toHaveLength(1)
})

describe('a workflow that is lost with the engine’s store', () => {
  test('of a trigger task is started again, and goes on with the attempts that are left', async () => {
    const task = await save(refuses, { max_retries: 9 })
    const template = await it.template({ trigger_task_id: task.id, trigger_task_failure_mode: 'retry' })
    const request = await submit(alice, template.id)
    await ended(request, task, 1)
    await lose(`access-request/${request.id}/trigger/created`)
    await change(task, { script: says })
    await it.sql`update outbox_events set next_attempt_at = now() where request_id = ${request.id}`
    const runs = await eventually(
      'a run that succeeded',
      async () => {
        const found = await runsOf(request, task)
        return found.at(-1)?.status === 'succeeded' && found
      },
      60_000,
    )
    expect(runs.map(({ attempt }) => attempt)).toEqual(runs.map((_, index) => index + 1))
    expect(runs.filter(({ status }) => status === 'succeeded')).toHaveLength(1)
  })

  test('of a delivery is started again', async () => {
    const task = await save(refuses, { events: ['access_request.submitted'], max_retries: 9 })
    const request = await submit(alice, (await it.template()).id)
    const [run] = await ended(request, task, 1)
    await lose(`integration/${task.name}/${run?.event_id}`)
    await change(task, { script: says, events: task.events })
    await it.sql`update deliveries set next_attempt_at = now() where request_id = ${request.id}`
    expect((await settled(task, 1)).map(({ state }) => state)).toEqual(['succeeded'])
  })
})
