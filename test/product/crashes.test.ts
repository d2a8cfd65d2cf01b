import { inject } from 'vitest'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { getRow, rows } from '../../db/client.ts'
import type { AccessRequest } from '../../domain/access-request.ts'
import type { Command } from '../../domain/access-request.ts'
import type { ScriptTask } from '../../domain/script-task.ts'
import { eventually, getRequest, startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'
import { startWorkerProcess } from '../setup/worker-process.ts'
import type { WorkerProcess, WorkerSettings } from '../setup/worker-process.ts'

let it: TestProduct
let alice: Caller
let bob: Caller
let admin: Caller
let settings: WorkerSettings
let worker: WorkerProcess | undefined

beforeAll(async () => {
  it = await startTestProduct({ without_worker: true })
  ;[alice, bob, admin] = (await Promise.all(['alice', 'bob', 'admin'].map(it.as))) as [Caller, Caller, Caller]
  const { temporal_address, temporal_namespace: namespace, workflow_bundle } = inject('servers')
  settings = { database_url: it.database_url, temporal_address, namespace, queue: it.queue, workflow_bundle }
})
afterAll(async () => {
  await worker?.kill()
  await it.close()
})

async function workerThat(dies_after?: WorkerSettings['dies_after']): Promise<WorkerProcess> {
  await worker?.kill()
  worker = await startWorkerProcess({ ...settings, ...(dies_after && { dies_after }) })
  return worker
}

const decide = (caller: Caller, verb: string, id: string) =>
  caller.call<AccessRequest | Command>('POST', `/access-requests/${id}/${verb}`)

/** What must be true of any request, however it came about. */
async function assertWhole(id: string): Promise<void> {
  const found = await getRow<Record<string, number>>(it.sql`
    select (select count(*) from decisions where request_id = ${id})::int as decisions,
      (select count(*) from grants where request_id = ${id})::int as grants,
      (select count(*) from audit_events where request_id = ${id} and kind = 'access_request.approved')::int as approved,
      (select count(*) from outbox_events where request_id = ${id} and trigger_event = 'approved')::int as told,
      (select count(*) from groups where name = '__access_req_' || ${id}::text)::int as groups,
      (select (status = 'approved')::int from access_requests where id = ${id}) as is_approved`)
  expect(found).toMatchObject({ grants: found.approved, told: found.approved, groups: found.is_approved })
  expect(found.decisions).toBeLessThanOrEqual(1)
}

const statusIs = (id: string, status: string) =>
  eventually(`the status ${status}`, async () => (await getRequest(admin, id)).status === status, 40_000)

describe('kill -9 of the worker', { timeout: 90_000 }, () => {
  test('after the approval has committed, before its completion is told: approved once', async () => {
    const template = await it.template()
    await workerThat()
    const request = await submit(alice, template.id)
    const deadly = await workerThat('applyCommand')
    const answer = decide(bob, 'approve', request.id)
    await deadly.died
    await workerThat()
    expect([200, 202]).toContain((await answer).status)
    await statusIs(request.id, 'approved')
    await assertWhole(request.id)
    expect((await decide(alice, 'revoke', request.id)).status).toBeLessThan(300)
    await statusIs(request.id, 'revoked')
    await assertWhole(request.id)
  })

  test('after the first step of a new request: it lives on', async () => {
    const template = await it.template()
    const deadly = await workerThat('loadRequest')
    const request = await submit(alice, template.id)
    await deadly.died
    await workerThat()
    await decide(bob, 'approve', request.id)
    await statusIs(request.id, 'approved')
    await assertWhole(request.id)
  })

  test('after an attempt of a trigger task has ended: its run stands, and is not run again', async () => {
    const template = await it.template()
    const deadly = await workerThat('runTriggerScript')
    const request = await submit(alice, template.id)
    await deadly.died
    await workerThat()
    const handle = it.client.workflow.getHandle(`access-request/${request.id}/trigger/created`)
    expect(await handle.result()).toContain('succeeded')
    const runs = await rows<{ status: string }>(
      it.sql`select status from script_runs where request_id = ${request.id}`,
    )
    expect(runs).toEqual([{ status: 'succeeded' }])
  })

  test('in a block run: still pending, the run is told as lost, and the next approval succeeds', async () => {
    await workerThat()
    const script = 'export const run = () => { const end = Date.now() + 1500; while (Date.now() < end); }'
    const task = (await admin.call<ScriptTask>('POST', '/scheduled-tasks', { name: 'slow block', script }))
      .body
    const template = await it.template({ trigger_task_id: task.id, trigger_task_failure_mode: 'block' })
    const request = await submit(alice, template.id)
    const answer = decide(bob, 'approve', request.id)
    await eventually('the run', async () => {
      const [run] = await rows(
        it.sql`select 1 from script_runs where request_id = ${request.id} and trigger = 'approved'`,
      )
      return run
    })
    await workerThat()
    expect(await answer).toMatchObject({ status: 409, body: { code: 'trigger_task_blocked' } })
    expect((await getRequest(admin, request.id)).status).toBe('pending')
    const [lost] = await rows<{ status: string; ended_by: string }>(it.sql`
      select status, ended_by from script_runs where request_id = ${request.id} and trigger = 'approved'`)
    expect(lost).toMatchObject({ status: 'failed', ended_by: 'crashed' })
    expect((await decide(bob, 'approve', request.id)).status).toBe(200)
    await assertWhole(request.id)
  })

  test('after a block script has succeeded and before the approval: approved, by that run', async () => {
    await workerThat()
    const task = (
      await admin.call<ScriptTask>('POST', '/scheduled-tasks', {
        name: 'quick block',
        script: 'export const run = () => "ok"',
      })
    ).body
    const template = await it.template({ trigger_task_id: task.id, trigger_task_failure_mode: 'block' })
    const request = await submit(alice, template.id)
    const deadly = await workerThat('runBlockScript')
    const answer = decide(bob, 'approve', request.id)
    await deadly.died
    await workerThat()
    expect((await answer).status).toBe(200)
    await statusIs(request.id, 'approved')
    const runs = await rows(
      it.sql`select 1 from script_runs where request_id = ${request.id} and trigger = 'approved'`,
    )
    expect(runs).toHaveLength(1)
    await assertWhole(request.id)
  })

  test('in the sleep of a grant, and after its end has committed: expired once', async () => {
    await workerThat()
    const template = await it.template()
    const request = await submit(alice, template.id)
    await decide(bob, 'approve', request.id)
    await endSoon(request.id)
    const deadly = await workerThat('expireRequest')
    await it.client.workflow.getHandle(`access-request/${request.id}`).signal('poke')
    await deadly.died
    await workerThat()
    await statusIs(request.id, 'expired')
    expect(await it.client.workflow.getHandle(`access-request/${request.id}`).result()).toBe('expired')
    const ended = await rows(it.sql`
      select 1 from audit_events where request_id = ${request.id} and kind = 'access_request.expired'`)
    expect(ended).toHaveLength(1)
    await assertWhole(request.id)
  })

  test('while nobody works: accepted all the same, and carried out later, once', async () => {
    const template = await it.template()
    await worker?.kill()
    worker = undefined
    const request = await submit(alice, template.id)
    const accepted = await decide(bob, 'approve', request.id)
    expect(accepted).toMatchObject({ status: 202, body: { kind: 'approve', state: 'queued' } })
    const location = (accepted.headers.get('location') ?? '').replace('/api/v1', '')
    await workerThat()
    await eventually(
      'the command',
      async () => (await bob.call<Command>('GET', location)).body.state === 'applied',
      40_000,
    )
    await statusIs(request.id, 'approved')
    await assertWhole(request.id)
  })
})

/** Moves the end of a grant near, which the product itself never allows. */
async function endSoon(id: string): Promise<void> {
  await it.sql.begin(async (tx) => {
    await tx`alter table access_requests disable trigger access_requests_lifecycle`
    await tx`update access_requests set expires_at = clock_timestamp() + interval '3 seconds' where id = ${id}`
    await tx`update grants set expires_at = clock_timestamp() + interval '3 seconds' where request_id = ${id}`
    await tx`alter table access_requests enable trigger access_requests_lifecycle`
  })
}
