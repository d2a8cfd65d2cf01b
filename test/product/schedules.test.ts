import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'

import { ScheduleNotFoundError } from '@temporalio/client'
import type { ScheduleDescription, ScheduleHandle, ScheduleSpec } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'

import type { Run, ScriptTask } from '../../domain/script-task.ts'
import { createEngine } from '../../engine/engine.ts'
import { reconcileSchedules } from '../../engine/task-schedules.ts'
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
afterAll(async () => {
  for await (const { scheduleId, memo } of it.client.schedule.list())
    if (memo?.queue === it.queue) await it.client.schedule.getHandle(scheduleId).delete()
  await it.close()
})

const says = `export const run = () => config.get('trigger_event') + ' ' + config.get('scheduled_at')`
const fails = `export const run = () => { throw new Error('no') }`
const yearly = { schedule_type: 'interval', interval_seconds: 31_536_000 }
const mondays = { schedule_type: 'cron', cron_expression: '30 9 * * 1', timezone: 'Europe/London' }

async function save(schedule: Record<string, unknown>, script = says): Promise<ScriptTask> {
  const input = { name: `Task ${randomUUID()}`, script, max_retries: 0, ...schedule }
  const { body, status } = await admin.call<ScriptTask>('POST', '/scheduled-tasks', input)
  expect(status).toBe(201)
  return body
}

async function change({ id, name, script }: ScriptTask, schedule: Record<string, unknown>): Promise<void> {
  const answer = await admin.call('PUT', `/scheduled-tasks/${id}`, { name, script, ...schedule })
  expect(answer.status).toBe(200)
}

const handleOf = ({ id }: { id: string }) => it.client.schedule.getHandle(`script-task/${id}`)

async function describeSchedule(handle: ScheduleHandle): Promise<ScheduleDescription | undefined> {
  try {
    return await handle.describe()
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined
    throw error
  }
}

const scheduleThat = (task: { id: string }, isSo: (found: ScheduleDescription) => boolean = () => true) =>
  eventually('the schedule', async () => {
    const found = await describeSchedule(handleOf(task))
    return found && isSo(found) && found
  })

const noSchedule = (task: { id: string }) =>
  eventually('the schedule to be gone', async () => (await describeSchedule(handleOf(task))) === undefined)

async function runsOf({ id }: { id: string }): Promise<Run[]> {
  const { body } = await admin.call<{ data: Run[] }>('GET', `/scheduled-tasks/${id}/runs`)
  return body.data.toReversed()
}

const ended = (task: { id: string }, count: number) =>
  eventually(
    `${count} run(s) that have ended`,
    async () => {
      const runs = await runsOf(task)
      return runs.length >= count && runs.every(({ status }) => status !== 'running') && runs
    },
    60_000,
  )

function reconcile(): Promise<string[]> {
  const { temporal_address: address } = inject('servers')
  const { client, sql, queue } = it
  return reconcileSchedules(sql, createEngine({ client, sql, address, queue, public_url: it.url }))
}

describe('a task with a schedule', () => {
  test('has a schedule in Temporal that says what it is', async () => {
    const task = await save(mondays)
    const { spec, state, policies, action, info } = await scheduleThat(task)
    expect(spec.calendars).toMatchObject([{ comment: '30 9 * * 1' }])
    expect(spec.timezone).toBe('Europe/London')
    expect(policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 3_600_000 })
    expect(state).toMatchObject({ paused: false, note: `${task.name}: 30 9 * * 1 (Europe/London)` })
    expect(action).toMatchObject({ workflowId: `script-task/${task.id}`, args: [{ task_id: task.id }] })
    const inLondon = new Intl.DateTimeFormat('en-GB', {
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      timeZone: 'Europe/London',
    })
    expect(info.nextActionTimes.map((at) => inLondon.format(at)).slice(0, 3)).toEqual([
      'Mon 09:30',
      'Mon 09:30',
      'Mon 09:30',
    ])
  })

  test('runs when it fires, as a run of the task that names the firing', async () => {
    const task = await save(yearly)
    await scheduleThat(task)
    const before = Date.now() - 60_000
    await handleOf(task).trigger()
    const [run] = await ended(task, 1)
    expect(run).toMatchObject({ trigger: 'schedule', status: 'succeeded', request_id: null, attempt: 1 })
    const [event, at = ''] = run?.result?.split(' ') ?? []
    expect(event).toBe('schedule')
    expect(Date.parse(at)).toBeGreaterThan(before)
    const { info } = await scheduleThat(task, (found) => found.info.recentActions.length > 0)
    const { workflow } = info.recentActions[0]?.action ?? {}
    expect(workflow?.workflowId).toMatch(new RegExp(`^script-task/${task.id}-`))
    expect(run?.event_id).toBe(workflow?.firstExecutionRunId)
  })

  test('fires by itself when its time has come', async () => {
    const task = await save({ schedule_type: 'interval', interval_seconds: 10 })
    expect((await ended(task, 1))[0]).toMatchObject({ trigger: 'schedule', status: 'succeeded' })
  })

  test('that fails is tried again max_retries times, and the workflow tells of it', async () => {
    const task = await save({ ...yearly, max_retries: 1 }, fails)
    await scheduleThat(task)
    await handleOf(task).trigger()
    expect((await ended(task, 2)).map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, 'failed'],
      [2, 'failed'],
    ])
    const { info } = await scheduleThat(task, (found) => found.info.recentActions.length > 0)
    const id = info.recentActions[0]?.action.workflow.workflowId ?? ''
    await expect(it.client.workflow.getHandle(id).result()).rejects.toMatchObject({
      cause: { type: 'script_failed' },
    })
  })

  test('does not run twice at once', async () => {
    const gate = await startGate()
    const often = { schedule_type: 'interval', interval_seconds: 10 }
    const task = await save({ ...often, timeout_seconds: 300, egress_hosts: [gate.host] }, gate.script)
    await eventually('the run', async () => (await runsOf(task)).length === 1)
    await scheduleThat(task, ({ info }) => info.numActionsSkippedOverlap > 0)
    expect(await runsOf(task)).toMatchObject([{ status: 'running' }])
    gate.open()
    expect((await ended(task, 1))[0]).toMatchObject({ status: 'succeeded', result: 'open' })
    await admin.call('DELETE', `/scheduled-tasks/${task.id}`)
    await gate.close()
  })

  test('digests the access that is open now, by hand as well', async () => {
    const source = await readFile(new URL('../../scripts/weekly_digest.ts', import.meta.url), 'utf8')
    const task = await save({ ...mondays, name: 'weekly digest' }, source)
    const request = await submit(alice, (await it.template()).id)
    const other = await submit(alice, (await it.template()).id)
    await bob.call('POST', `/access-requests/${request.id}/approve`)
    await scheduleThat(task)
    await handleOf(task).trigger()
    const [run] = await ended(task, 1)
    const lines = run?.result?.split('\n') ?? []
    expect(lines[0]).toMatch(/^Open access on \d{4}-\d\d-\d\d: 1$/)
    expect(lines[1]).toBe('Internal DB:')
    expect(lines[2]).toMatch(/^ {2}Alice until \d{4}-\d\d-\d\d \d\d:\d\d UTC \(/)
    expect(lines[2]).toContain(request.template_name)
    expect(run?.result).not.toContain(other.template_name)
    const byHand = await admin.call<Run>('POST', `/scheduled-tasks/${task.id}/run`)
    expect(byHand.body.result?.split('\n').slice(1)).toEqual(lines.slice(1))
    await alice.call('POST', `/access-requests/${request.id}/revoke`)
    const later = await admin.call<Run>('POST', `/scheduled-tasks/${task.id}/run`)
    expect(later.body.result).toMatch(/^Open access on \d{4}-\d\d-\d\d: 0$/)
  })
})

describe('a schedule follows its task', () => {
  test('when it is changed, disabled, enabled and taken back', async () => {
    const task = await save(yearly)
    await scheduleThat(task)
    await change(task, { schedule_type: 'interval', interval_seconds: 3_600 })
    await scheduleThat(task, ({ spec }) => spec.intervals?.[0]?.every === 3_600_000)
    await change(task, mondays)
    const { spec } = await scheduleThat(task, ({ spec: found }) => (found.calendars?.length ?? 0) > 0)
    expect(spec.intervals ?? []).toEqual([])
    await change(task, { ...mondays, enabled: false })
    await scheduleThat(task, ({ state }) => state.paused)
    await change(task, mondays)
    await scheduleThat(task, ({ state }) => !state.paused)
    await change(task, {})
    await noSchedule(task)
  })

  test('when it is deleted', async () => {
    const task = await save(yearly)
    await scheduleThat(task)
    expect((await admin.call('DELETE', `/scheduled-tasks/${task.id}`)).status).toBe(204)
    await noSchedule(task)
  })

  test('and a task that is only fired has none', async () => {
    const task = await save({})
    await scheduleThat(await save(yearly))
    await noSchedule(task)
  })

  test('also where somebody paused, deleted or left one in Temporal', async () => {
    const [paused, deleted] = [await save(yearly), await save(yearly)]
    await scheduleThat(paused)
    const { action, spec } = await scheduleThat(deleted)
    await handleOf(paused).pause('by hand')
    await handleOf(deleted).delete()
    const stray = { id: randomUUID() }
    const scheduleId = `script-task/${stray.id}`
    await it.client.schedule.create({ scheduleId, spec, action, memo: { queue: it.queue } })
    const foreign = { id: randomUUID() }
    await it.client.schedule.create({
      scheduleId: `script-task/${foreign.id}`,
      spec,
      action,
      state: { paused: true },
      memo: { queue: `another-${it.queue}` },
    })
    await eventually('the schedules to be in line', async () => {
      await reconcile()
      const { state } = await handleOf(paused).describe()
      const isMade = (await describeSchedule(handleOf(deleted))) !== undefined
      return !state.paused && isMade && (await describeSchedule(handleOf(stray))) === undefined
    })
    expect(await describeSchedule(handleOf(foreign))).toBeDefined()
    await handleOf(foreign).delete()
    expect(await eventually('nothing to be astray', async () => (await reconcile()).length === 0)).toBe(true)
  })

  test.each<[string, Record<string, unknown>, ScheduleSpec]>([
    ['an interval', yearly, { intervals: [{ every: '1 minute' }] }],
    ['a calendar', mondays, { calendars: [{ comment: '30 9 * * 1' }], timezone: 'Europe/London' }],
    [
      'a time zone',
      mondays,
      { calendars: [{ minute: 30, hour: 9, dayOfWeek: 'MONDAY' }], timezone: 'Asia/Tokyo' },
    ],
  ])('also where somebody changed %s and nothing else', async (_, schedule, forged) => {
    const task = await save(schedule)
    const { spec } = await scheduleThat(task)
    await handleOf(task).update(({ action, policies, state }) => ({ action, policies, state, spec: forged }))
    await eventually('the schedule to be in line', async () => {
      await reconcile()
      const found = await handleOf(task).describe()
      return JSON.stringify(found.spec) === JSON.stringify(spec)
    })
    expect(await eventually('nothing to be astray', async () => (await reconcile()).length === 0)).toBe(true)
  })
})

describe('nothing runs', () => {
  test('when a schedule fires for a task that is disabled, gone or no longer on a schedule', async () => {
    const [disabled, taken, gone] = [await save({ ...yearly, enabled: false }), await save({}), randomUUID()]
    for (const task_id of [disabled.id, taken.id, gone]) {
      const result = await it.client.workflow.execute('scheduledTask', {
        workflowId: `forged-${randomUUID()}`,
        taskQueue: it.queue,
        args: [{ task_id }],
      })
      expect(result).toMatch(/^nothing to run/)
    }
    expect(await runsOf(disabled)).toEqual([])
    expect(await runsOf(taken)).toEqual([])
  })
})

describe('a schedule is refused', () => {
  test.each([
    [{ schedule_type: 'interval' }, '/interval_seconds'],
    [{ schedule_type: 'interval', interval_seconds: 60, timezone: 'UTC' }, '/timezone'],
    [{ schedule_type: 'cron', timezone: 'UTC' }, '/cron_expression'],
    [{ schedule_type: 'cron', cron_expression: '0 9 * * MONDAY' }, '/cron_expression'],
    [{ schedule_type: 'cron', cron_expression: '0 9 1 * 1' }, '/cron_expression'],
    [{ ...mondays, timezone: 'Mars/Phobos' }, '/timezone'],
    [{ cron_expression: '0 9 * * *' }, '/cron_expression'],
    [{ ...yearly, interval_seconds: 0 }, '/interval_seconds'],
  ])('%o', async (schedule, pointer) => {
    const input = { name: randomUUID(), script: says, ...schedule }
    const answer = await admin.call('POST', '/scheduled-tasks', input)
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid_request', errors: [{ pointer }] } })
  })
})
