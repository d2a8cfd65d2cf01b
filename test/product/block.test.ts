import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { rows } from '../../db/client.ts'
import type { AccessRequest } from '../../domain/access-request.ts'
import type { Run, ScriptTask } from '../../domain/script-task.ts'
import { eventually, getRequest, startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

let it: TestProduct
let alice: Caller
let bob: Caller
let dana: Caller
let admin: Caller

beforeAll(async () => {
  it = await startTestProduct()
  ;[alice, bob, dana, admin] = (await Promise.all(['alice', 'bob', 'dana', 'admin'].map(it.as))) as [
    Caller,
    Caller,
    Caller,
    Caller,
  ]
})
afterAll(() => it.close())

const post = (caller: Caller, path: string, body?: unknown) =>
  caller.call<AccessRequest & { code: string; run_id: string; run_message: string }>('POST', path, body)

const approve = (caller: Caller, { id }: { id: string }) => post(caller, `/access-requests/${id}/approve`)

const passes = `export const run = () => 'fine'`
const refuses = `export const run = () => { throw new Error('the change window is closed') }`
const loops = `export const run = () => { for (;;); }`
const takes = (ms: number) =>
  `export const run = () => { const end = Date.now() + ${ms}; while (Date.now() < end); return 'fine' }`

async function saveTask(script: string, overrides: Record<string, unknown> = {}): Promise<ScriptTask> {
  const { body, status } = await admin.call<ScriptTask>('POST', '/scheduled-tasks', {
    name: randomUUID(),
    script,
    ...overrides,
  })
  expect(status).toBe(201)
  return body
}

async function mend({ id, name }: ScriptTask, script: string): Promise<void> {
  expect((await admin.call('PUT', `/scheduled-tasks/${id}`, { name, script })).status).toBe(200)
}

async function blocked(script: string, overrides: Record<string, unknown> = {}) {
  const task = await saveTask(script)
  const template = await it.template({
    trigger_task_id: task.id,
    trigger_task_failure_mode: 'block',
    ...overrides,
  })
  return { task, template }
}

const runsOf = ({ id }: { id: string }) =>
  rows<Run>(it.sql`select * from script_runs where request_id = ${id} order by id`)

const statusOf = async ({ id }: { id: string }) => (await getRequest(admin, id)).status

describe('a block script', () => {
  test('that succeeds lets the approval pass, and is its approved trigger: none follows', async () => {
    const { template } = await blocked(passes)
    const request = await submit(alice, template.id)
    expect((await approve(bob, request)).body.status).toBe('approved')
    await eventually('the created run', async () =>
      (await runsOf(request)).some(({ trigger }) => trigger === 'created'),
    )
    await post(alice, `/access-requests/${request.id}/revoke`)
    await eventually('the revoked run', async () =>
      (await runsOf(request)).some(({ trigger }) => trigger === 'revoked'),
    )
    const triggers = (await runsOf(request)).map(({ trigger }) => trigger)
    expect(triggers.toSorted()).toEqual(['approved', 'created', 'revoked'])
  })

  test('that throws keeps the request pending, with its run and its words', async () => {
    const { template, task } = await blocked(refuses)
    const request = await submit(alice, template.id)
    const answer = await approve(bob, request)
    expect(answer).toMatchObject({
      status: 409,
      body: { code: 'trigger_task_blocked', run_message: 'the change window is closed' },
    })
    const [run] = (await runsOf(request)).filter(({ id }) => id === answer.body.run_id)
    expect(run).toMatchObject({ trigger: 'approved', status: 'failed', ended_by: 'threw', task_id: task.id })
    expect(await statusOf(request)).toBe('pending')
    expect((await getRequest(alice, request.id)).timeline.map(({ kind }) => kind)).toContain(
      'approval_blocked',
    )
    await mend(task, passes)
    expect((await approve(bob, request)).body.status).toBe('approved')
  })

  test('that never ends is ended: 409 within 31 s, still pending, and the mended script lets the next approval pass', async () => {
    const { template, task } = await blocked(loops)
    const request = await submit(alice, template.id)
    const began = Date.now()
    expect((await approve(bob, request)).body.code).toBe('trigger_task_blocked')
    expect(Date.now() - began).toBeLessThan(31_000)
    expect(await statusOf(request)).toBe('pending')
    await mend(task, passes)
    expect((await approve(bob, request)).body.status).toBe('approved')
  }, 60_000)

  test('that is disabled refuses every approval', async () => {
    const { template, task } = await blocked(passes)
    await admin.call('PUT', `/scheduled-tasks/${task.id}`, {
      name: task.name,
      script: passes,
      enabled: false,
    })
    const request = await submit(alice, template.id)
    const answer = await approve(bob, request)
    expect(answer.body).toMatchObject({
      code: 'trigger_task_blocked',
      run_message: 'the script task is disabled',
    })
    expect(await statusOf(request)).toBe('pending')
  })

  test('is told of the decision that waits for it', async () => {
    const script = `export const run = () => ['trigger_event', 'request_status', 'decided_by', 'comment'].map((k) => config.get(k)).join('|')`
    const { template } = await blocked(script)
    const request = await submit(alice, template.id)
    await post(bob, `/access-requests/${request.id}/approve`, { comment: 'Go' })
    const run = (await runsOf(request)).find(({ trigger }) => trigger === 'approved')
    expect(run?.result).toBe(`approved|approved|${bob.id}|Go`)
  })
})

describe('while a block script runs', () => {
  const inFlight = async () => {
    const { template } = await blocked(takes(1_500))
    const request = await submit(alice, template.id)
    const first = approve(bob, request)
    await eventually('the run', async () =>
      (await runsOf(request)).some(({ trigger }) => trigger === 'approved'),
    )
    return { request, first }
  }

  test('a second approval is refused at once, naming the run', async () => {
    const { request, first } = await inFlight()
    const second = await approve(dana, request)
    expect(second).toMatchObject({ status: 409, body: { code: 'decision_in_progress' } })
    expect((await runsOf(request)).map(({ id }) => id)).toContain(second.body.run_id)
    expect((await first).body.status).toBe('approved')
  })

  test.each([
    ['deny', () => dana, 'denied'],
    ['revoke', () => alice, 'revoked'],
  ] as const)('%s applies at once and kills the run', async (verb, who, status) => {
    const { request, first } = await inFlight()
    expect((await post(who(), `/access-requests/${request.id}/${verb}`)).body.status).toBe(status)
    expect(await first).toMatchObject({
      status: 409,
      body: { code: 'request_not_pending', request_status: status },
    })
    const run = (await runsOf(request)).find(({ trigger }) => trigger === 'approved')
    expect(run).toMatchObject({ status: 'failed', ended_by: 'cancelled' })
    await sleep(100)
    expect(await statusOf(request)).toBe(status)
  })
})

describe('with auto-approval', () => {
  test('the submission answers pending at once, and the script lets it pass', async () => {
    const { template } = await blocked(takes(800), { auto_approve: true })
    const request = await submit(alice, template.id)
    expect(request.status).toBe('pending')
    await eventually('the approval', async () => (await statusOf(request)) === 'approved')
    expect(await getRequest(alice, request.id)).toMatchObject({ decision_source: 'auto', decided_by: null })
  })

  test('a refusal puts it to the approvers, who may approve once the script lets them', async () => {
    const { template, task } = await blocked(refuses, { auto_approve: true })
    const request = await submit(alice, template.id)
    const told = await eventually('the approvers', async () => {
      const { notified_approvers } = await getRequest(alice, request.id)
      return notified_approvers.length > 0 && notified_approvers
    })
    expect(told).toEqual(['bob@example.com', 'dana@example.com'])
    expect(await statusOf(request)).toBe('pending')
    await mend(task, passes)
    expect((await approve(bob, request)).body).toMatchObject({
      status: 'approved',
      decision_source: 'approver',
    })
  })
})

describe('beside the request', () => {
  test('ignore runs once, and its failure changes nothing', async () => {
    const task = await saveTask(refuses)
    const template = await it.template({ trigger_task_id: task.id })
    const request = await submit(alice, template.id)
    const [run] = await eventually('the run', async () => {
      const found = await runsOf(request)
      return found.some(({ status }) => status === 'failed') && found
    })
    expect(run).toMatchObject({ trigger: 'created', attempt: 1, ended_by: 'threw' })
    expect((await approve(bob, request)).body.status).toBe('approved')
  })

  test('retry tries 1 + max_retries times, each attempt a run of its own', async () => {
    const task = await saveTask(refuses, { max_retries: 2 })
    const template = await it.template({ trigger_task_id: task.id, trigger_task_failure_mode: 'retry' })
    const request = await submit(alice, template.id)
    const runs = await eventually('three attempts', async () => {
      const found = (await runsOf(request)).filter(({ status }) => status === 'failed')
      return found.length === 3 && found
    })
    expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
    await sleep(500)
    expect(await runsOf(request)).toHaveLength(3)
  })
})
