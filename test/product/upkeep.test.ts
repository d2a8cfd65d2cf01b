import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { findRow, rows, transaction } from '../../db/client.ts'
import { forgetOldKeys } from '../../db/idempotency.ts'
import { disableFailing, failingMinutes, failingRuns } from '../../db/scripts/auto-disable.ts'
import { forgetOldEvents, forgetOldRuns } from '../../db/scripts/retention.ts'
import type { ScriptTask } from '../../domain/script-task.ts'
import { eventually, startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

let it: TestProduct
let alice: Caller
let admin: Caller

beforeAll(async () => {
  it = await startTestProduct()
  ;[alice, admin] = (await Promise.all(['alice', 'admin'].map(it.as))) as [Caller, Caller]
})
afterAll(() => it.close())

const script = `export const run = () => 'fine'`
const fails = `export const run = () => { throw new Error('no') }`

async function save(overrides: Record<string, unknown> = {}): Promise<ScriptTask> {
  const input = { name: `Task ${randomUUID()}`, script, ...overrides }
  const { body, status } = await admin.call<ScriptTask>('POST', '/scheduled-tasks', input)
  expect(status).toBe(201)
  return body
}

const find = async ({ id }: ScriptTask) =>
  (await admin.call<ScriptTask>('GET', `/scheduled-tasks/${id}`)).body

type RunRow = {
  status?: string
  ended_by?: string
  trigger?: string
  version?: number
  request_id?: string
  mins_ago?: number
}

/** Runs that began so long ago, as they are kept: nobody can wait for real ones. */
async function insertRun(task: ScriptTask, row: RunRow): Promise<string> {
  const { status = 'failed', trigger = 'created', version = 1, request_id = null, mins_ago = 0 } = row
  const ended_by =
    row.ended_by ?? (status === 'failed' ? 'threw' : status === 'succeeded' ? 'returned' : null)
  const inserted = await findRow<{ id: string }>(it.sql`
    insert into script_runs (id, task_id, task_name, version, trigger, request_id, status, ended_by, started_at)
    values (gen_random_uuid(), ${task.id}, ${task.name}, ${version}, ${trigger}, ${request_id}, ${status},
      ${ended_by}, clock_timestamp() - ${mins_ago} * interval '1 minute') returning id`)
  return inserted?.id ?? ''
}

async function fail(task: ScriptTask, count: number, mins: number, row: RunRow = {}): Promise<void> {
  for (let index = 0; index < count; index++)
    await insertRun(task, { mins_ago: mins * (1 - index / (count - 1)), ...row })
}

const ids = async () => (await disableFailing(it.sql)).map(({ id }) => id)

describe('a task that keeps failing', () => {
  test('is disabled with a new version that nobody made, an audit event and the reason', async () => {
    const task = await save({ config: { colour: 'blue' } })
    await fail(task, failingRuns, failingMinutes)
    expect(await ids()).toEqual([task.id])
    const reason = `${failingRuns} runs of version 1 failed in a row, over ${failingMinutes} minutes`
    expect(await find(task)).toMatchObject({
      version: 2,
      enabled: false,
      disabled_reason: reason,
      script,
      config: { colour: 'blue' },
    })
    const { body } = await admin.call<{ data: unknown[] }>('GET', `/scheduled-tasks/${task.id}/versions`)
    expect(body.data).toMatchObject([
      { version: 2, enabled: false, created_by: null },
      { version: 1, enabled: true, created_by: admin.id },
    ])
    const events = await rows(
      it.sql`select actor_id, detail from audit_events where object_id = ${task.id} and kind = 'script_task.disabled'`,
    )
    expect(events).toEqual([{ actor_id: null, detail: { name: task.name, version: 2, reason } }])
    expect(await ids()).toEqual([])
  })

  test('and is enabled again is not disabled by the failures of its past', async () => {
    const task = await save()
    await fail(task, failingRuns, failingMinutes)
    await ids()
    const { name } = task
    await admin.call('PUT', `/scheduled-tasks/${task.id}`, { name, script, enabled: true })
    expect(await find(task)).toMatchObject({ version: 3, enabled: true, disabled_reason: null })
    expect(await ids()).toEqual([])
  })

  test('is left alone one failure, or one minute, before', async () => {
    const [few, short] = [await save(), await save()]
    await fail(few, failingRuns - 1, 60)
    await fail(short, failingRuns * 2, failingMinutes - 1)
    expect(await ids()).toEqual([])
  })

  test('is left alone when it succeeded in between', async () => {
    const task = await save()
    await fail(task, failingRuns, 60)
    await insertRun(task, { status: 'succeeded', mins_ago: 5 })
    await fail(task, failingRuns - 1, 4)
    expect(await ids()).toEqual([])
  })

  test.each([
    ['by hand', { trigger: 'run' }],
    ['because the request ended', { ended_by: 'cancelled' }],
    ['because no place was free', { ended_by: 'saturated' }],
    ['in an earlier version', { version: 7 }],
  ])('is left alone when it failed %s', async (_, row) => {
    const task = await save()
    await fail(task, failingRuns, 60, row)
    expect(await ids()).toEqual([])
  })

  test('is left alone while only the requests of one person make it fail', async () => {
    const task = await save()
    const template = await it.template()
    const { id: request_id } = await submit(alice, template.id)
    await fail(task, failingRuns * 2, 60, { request_id })
    expect(await ids()).toEqual([])
    const { id: another } = await submit(await it.as('carol'), template.id)
    await insertRun(task, { request_id: another })
    expect(await ids()).toEqual([task.id])
  })

  test('is never disabled while a template, or a request that waits, uses it in block mode', async () => {
    const task = await save({ script: fails })
    const mode = { trigger_task_id: task.id, trigger_task_failure_mode: 'block' }
    const template = await it.template(mode)
    await fail(task, failingRuns, 60)
    expect(await ids()).toEqual([])
    const request = await submit(alice, template.id)
    await it.sql`update templates set trigger_task_failure_mode = 'ignore' where id = ${template.id}`
    expect(await ids()).toEqual([])
    await alice.call('POST', `/access-requests/${request.id}/revoke`)
    expect(await ids()).toEqual([task.id])
    expect((await find(task)).enabled).toBe(false)
  })
})

describe('runs are kept', () => {
  const days = (count: number) => count * 24 * 60
  const isThere = async (id: string) =>
    (await findRow(it.sql`select 1 from script_runs where id = ${id}`)) !== undefined

  test('for as many days as was said, and no longer', async () => {
    const task = await save()
    const [old, fresh] = [
      await insertRun(task, { mins_ago: days(31) }),
      await insertRun(task, { mins_ago: days(29) }),
    ]
    await forgetOldRuns(it.sql, 30)
    expect([await isThere(old), await isThere(fresh)]).toEqual([false, true])
  })

  test('while they last, and while the request that they belong to is open or has not ended long ago', async () => {
    const task = await save()
    const [open, ended] = [
      await submit(alice, (await it.template()).id),
      await submit(alice, (await it.template()).id),
    ]
    await alice.call('POST', `/access-requests/${ended.id}/revoke`)
    const running = await insertRun(task, { status: 'running', mins_ago: days(400) })
    const ofOpen = await insertRun(task, { request_id: open.id, mins_ago: days(400) })
    const ofEnded = await insertRun(task, { request_id: ended.id, mins_ago: days(400) })
    await forgetOldRuns(it.sql, 30)
    expect(await Promise.all([running, ofOpen, ofEnded].map(isThere))).toEqual([true, true, true])
    await it.sql`update access_requests set ended_at = now() - interval '31 days' where id = ${ended.id}`
    await forgetOldRuns(it.sql, 30)
    expect(await Promise.all([running, ofOpen, ofEnded].map(isThere))).toEqual([true, true, false])
    await it.sql`delete from script_runs where id = ${running}`
  })
})

describe('outgoing events, and their deliveries, are kept', () => {
  const eventsOf = async (request: { id: string }) =>
    (await rows(it.sql`select 1 from outbox_events where request_id = ${request.id}`)).length
  const deliveriesOf = async (request: { id: string }) =>
    (await rows(it.sql`select 1 from deliveries where request_id = ${request.id}`)).length

  /** A request whose events are settled and 400 days old; it has ended 31 days ago, or not at all. */
  async function old({ hasEnded }: { hasEnded: boolean }): Promise<{ id: string }> {
    const task = await save({ events: ['access_request.submitted'] })
    const request = await submit(alice, (await it.template()).id)
    if (hasEnded) await alice.call('POST', `/access-requests/${request.id}/revoke`)
    await eventually('the delivery', async () => {
      const found = await rows(it.sql`
        select 1 from deliveries where request_id = ${request.id} and task_id = ${task.id} and finished_at is not null`)
      return found.length === 1
    })
    await admin.call('DELETE', `/scheduled-tasks/${task.id}`)
    await it.sql`
      insert into deliveries (id, event_id, seq, event_type, request_id, task_id, workflow_id, state, finished_at)
      select gen_random_uuid(), o.id, o.seq, o.type, o.request_id, t.id, 'none', 'succeeded', now() - interval '399 days'
      from outbox_events o, script_tasks t where o.request_id = ${request.id} and t.name = 'access_request_event_logger'`
    await it.sql`update outbox_events set created_at = now() - interval '400 days', settled_at = now(),
      fanned_out_at = now() where request_id = ${request.id}`
    await it.sql`update access_requests set ended_at = now() - interval '31 days'
      where id = ${request.id} and ended_at is not null`
    return request
  }

  test('for as many days as was said after the end of their request, and no longer', async () => {
    const request = await old({ hasEnded: true })
    await forgetOldEvents(it.sql, 32)
    expect([await eventsOf(request), await deliveriesOf(request)]).toEqual([2, 2])
    await forgetOldEvents(it.sql, 30)
    expect([await eventsOf(request), await deliveriesOf(request)]).toEqual([0, 0])
  })

  test('while their request is open', async () => {
    const request = await old({ hasEnded: false })
    await forgetOldEvents(it.sql, 30)
    expect([await eventsOf(request), await deliveriesOf(request)]).toEqual([1, 1])
  })

  test('while the trigger task has not been told', async () => {
    const request = await old({ hasEnded: true })
    await it.sql`delete from deliveries where request_id = ${request.id}`
    await it.sql`update outbox_events set settled_at = null, next_attempt_at = now() + interval '1 day'
      where request_id = ${request.id}`
    await forgetOldEvents(it.sql, 30)
    expect(await eventsOf(request)).toBe(2)
  })

  test('while it has not been looked at who is to be told', async () => {
    const request = await old({ hasEnded: true })
    await it.sql`delete from deliveries where request_id = ${request.id}`
    await transaction(it.sql, async (tx) => {
      await tx`update outbox_events set fanned_out_at = null where request_id = ${request.id}`
      await forgetOldEvents(tx, 30)
    })
    expect(await eventsOf(request)).toBe(2)
  })

  test('while a delivery has not ended', async () => {
    const request = await old({ hasEnded: true })
    await it.sql`update deliveries set state = 'started', finished_at = null,
      next_attempt_at = now() + interval '1 day' where request_id = ${request.id}`
    await forgetOldEvents(it.sql, 30)
    expect([await eventsOf(request), await deliveriesOf(request)]).toEqual([2, 2])
    await it.sql`delete from deliveries where request_id = ${request.id}`
  })
})

test('idempotency keys are forgotten after a day, however many there are', async () => {
  await it.sql`
    insert into idempotency_keys (caller_id, key, fingerprint, operation_id, created_at)
    select ${admin.id}, 'old' || n, 'f', gen_random_uuid(), now() - interval '25 hours' from generate_series(1, 4500) n`
  await it.sql`insert into idempotency_keys (caller_id, key, fingerprint, operation_id)
    values (${admin.id}, 'fresh', 'f', gen_random_uuid())`
  await forgetOldKeys(it.sql)
  const left = await rows<{ key: string }>(
    it.sql`select key from idempotency_keys where caller_id = ${admin.id}`,
  )
  expect(left.map(({ key }) => key)).toEqual(['fresh'])
})
