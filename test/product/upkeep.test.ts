import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { findRow, rows } from '../../db/client.ts'
import { disableFailing, failingMinutes, failingRuns } from '../../db/scripts/auto-disable.ts'
import { forgetOldRuns } from '../../db/scripts/retention.ts'
import type { ScriptTask } from '../../domain/script-task.ts'
import { startTestProduct, submit } from '../setup/product.ts'
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
