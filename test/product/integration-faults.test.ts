import { randomUUID } from 'node:crypto'

import { ScheduleNotFoundError } from '@temporalio/client'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { rows } from '../../db/client.ts'
import type { Run, ScriptTask } from '../../domain/script-task.ts'
import { startDisposableTemporal } from '../setup/disposable.ts'
import { eventually, startTestProduct } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'
import { startWorkerProcess } from '../setup/worker-process.ts'
import type { WorkerProcess, WorkerSettings } from '../setup/worker-process.ts'

const says = `export const run = () => config.get('event.type')`
const lasts = `export const run = () => { const end = Date.now() + 1200; while (Date.now() < end); return 'done' }`

async function save(
  it: TestProduct,
  script: string,
  overrides: Record<string, unknown>,
): Promise<ScriptTask> {
  const admin = await it.as('admin')
  const input = { name: `Task ${randomUUID()}`, script, max_retries: 0, ...overrides }
  const { body, status } = await admin.call<ScriptTask>('POST', '/scheduled-tasks', input)
  expect(status).toBe(201)
  return body
}

/** A request that its requester takes back: two events, for which nothing but the database is needed. */
async function submitAndCancel(it: TestProduct, alice: Caller): Promise<{ id: string }> {
  const body = { template_id: (await it.template()).id, requested_duration_mins: 60, justification: 'Now.' }
  const { body: request } = await alice.call<{ id: string }>('POST', '/access-requests', body)
  expect((await alice.call('POST', `/access-requests/${request.id}/revoke`)).status).toBeLessThan(300)
  return request
}

type Delivered = { state: string; runs: Pick<Run, 'attempt' | 'status' | 'ended_by' | 'result'>[] }

/** What became of the deliveries of a request, in order, with their runs. */
const deliveredOf = ({ id }: { id: string }, sql: TestProduct['sql']) =>
  rows<Delivered>(sql`
    select state, array(select jsonb_build_object('attempt', attempt, 'status', status, 'ended_by', ended_by,
        'result', result) from script_runs s where s.event_id = d.event_id and s.task_id = d.task_id
        order by attempt) as runs
    from deliveries d where request_id = ${id} order by seq`)

const settled = (request: { id: string }, { sql }: TestProduct, count: number) =>
  eventually(
    `${count} delivery(s) that have ended`,
    async () => {
      const found = await deliveredOf(request, sql)
      return found.filter(({ state }) => !['waiting', 'started'].includes(state)).length === count && found
    },
    60_000,
  )

const run = (result: string, attempt = 1) => ({ attempt, status: 'succeeded', ended_by: 'returned', result })

describe('while Temporal is away', { timeout: 120_000 }, () => {
  let temporal: Awaited<ReturnType<typeof startDisposableTemporal>>
  let it: TestProduct
  let alice: Caller

  beforeAll(async () => {
    temporal = await startDisposableTemporal()
    it = await startTestProduct({ temporal_address: temporal.address })
    alice = await it.as('alice')
  }, 90_000)
  afterAll(() => it.close())

  const isScheduled = async ({ id }: ScriptTask) => {
    try {
      return !(await it.client.schedule.getHandle(`script-task/${id}`).describe()).state.paused
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return false
      throw error
    }
  }

  test('events wait, and are told once and in order when it is back; so are schedules kept', async () => {
    const yearly = { schedule_type: 'interval', interval_seconds: 31_536_000 }
    await save(it, says, { events: ['access_request.submitted', 'access_request.revoked'] })
    const gone = await save(it, says, yearly)
    await eventually('the schedule', () => isScheduled(gone))
    await temporal.kill()
    const began = Date.now()
    const made = await save(it, says, yearly)
    await (await it.as('admin')).call('DELETE', `/scheduled-tasks/${gone.id}`)
    expect(Date.now() - began).toBeLessThan(3_000)
    const request = await submitAndCancel(it, alice)
    expect((await deliveredOf(request, it.sql)).filter(({ runs }) => runs.length > 0)).toEqual([])
    await temporal.restart()
    expect(await settled(request, it, 2)).toEqual([
      { state: 'succeeded', runs: [run('access_request.submitted')] },
      { state: 'succeeded', runs: [run('access_request.revoked')] },
    ])
    const inLine = async () => (await isScheduled(made)) && !(await isScheduled(gone))
    await eventually('the schedules to be in line', () => inLine().catch(() => false), 70_000)
  })
})

describe('kill -9 of the worker', { timeout: 120_000 }, () => {
  let it: TestProduct
  let alice: Caller
  let settings: WorkerSettings
  let worker: WorkerProcess | undefined

  beforeAll(async () => {
    it = await startTestProduct({ without_worker: true })
    alice = await it.as('alice')
    const { temporal_address, temporal_namespace: namespace, workflow_bundle } = inject('servers')
    settings = {
      database_url: it.database_url,
      temporal_address,
      namespace,
      queue: it.queue,
      workflow_bundle,
    }
  })
  afterAll(async () => {
    await worker?.kill()
    await it.close()
  })

  async function workerThat(options: Pick<WorkerSettings, 'dies_after' | 'grace_ms'> = {}) {
    await worker?.kill()
    worker = await startWorkerProcess({ ...settings, ...options })
    return worker
  }

  const events = ['access_request.submitted', 'access_request.revoked']
  const unbind = ({ id }: ScriptTask) =>
    it.as('admin').then((admin) => admin.call('DELETE', `/scheduled-tasks/${id}`))

  test('while a script runs: it is run again, although it has no retries', async () => {
    const task = await save(it, lasts, { events: ['access_request.submitted'] })
    const first = await workerThat()
    const request = await submitAndCancel(it, alice)
    await eventually(
      'the run',
      async () => (await deliveredOf(request, it.sql))[0]?.runs.length === 1,
      40_000,
    )
    await first.kill()
    await workerThat()
    expect(await settled(request, it, 1)).toEqual([
      {
        state: 'succeeded',
        runs: [{ attempt: 1, status: 'failed', ended_by: 'crashed', result: null }, run('done', 2)],
      },
    ])
    await unbind(task)
  })

  test('or a stop that does not wait for a script: it is run again, although it has no retries', async () => {
    const task = await save(it, lasts, { events: ['access_request.submitted'] })
    const first = await workerThat({ grace_ms: 100 })
    const request = await submitAndCancel(it, alice)
    await eventually(
      'the run',
      async () => (await deliveredOf(request, it.sql))[0]?.runs.length === 1,
      40_000,
    )
    await first.stop()
    await workerThat()
    expect(await settled(request, it, 1)).toEqual([
      {
        state: 'succeeded',
        runs: [{ attempt: 1, status: 'failed', ended_by: 'cancelled', result: null }, run('done', 2)],
      },
    ])
    await unbind(task)
  })

  test('after a script has run, before anybody was told: it is not run again, and the next event follows', async () => {
    const task = await save(it, says, { events })
    const deadly = await workerThat({ dies_after: 'runDeliveryScript' })
    const request = await submitAndCancel(it, alice)
    await deadly.died
    await workerThat()
    expect(await settled(request, it, 2)).toEqual([
      { state: 'succeeded', runs: [run('access_request.submitted')] },
      { state: 'succeeded', runs: [run('access_request.revoked')] },
    ])
    await unbind(task)
  })
})
