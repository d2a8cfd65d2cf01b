import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { getRow, rows } from '../../db/client.ts'
import type { AccessRequest, Command } from '../../domain/access-request.ts'
import { workflowId } from '../../workflows/contract.ts'
import { startDisposableTemporal } from '../setup/disposable.ts'
import { eventually, getRequest, startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

type Temporal = Awaited<ReturnType<typeof startDisposableTemporal>>

let temporal: Temporal
let it: TestProduct
let alice: Caller
let bob: Caller
let admin: Caller

beforeAll(async () => {
  temporal = await startDisposableTemporal()
  it = await startTestProduct({ temporal_address: temporal.address })
  ;[alice, bob, admin] = (await Promise.all(['alice', 'bob', 'admin'].map(it.as))) as [Caller, Caller, Caller]
}, 90_000)
afterAll(() => it.close())

const decide = (caller: Caller, verb: string, id: string) =>
  caller.call<AccessRequest & Command>('POST', `/access-requests/${id}/${verb}`)

const rolesOf = async (caller: Caller) => {
  const { id } = await getRow<{ id: string }>(it.sql`select id from applications`)
  const { body } = await caller.call<{ access_token: string }>('POST', `/applications/${id}/token`)
  return decodeJwt<{ roles?: string[] }>(body.access_token).roles
}

/** Right after Temporal is back the engine may need longer than the answer does: then it is 202, and carried out later. */
async function approveInTheEnd(caller: Caller, id: string) {
  const answer = await decide(caller, 'approve', id)
  expect([200, 202], JSON.stringify(answer.body)).toContain(answer.status)
  await statusIs(id, 'approved')
}

const statusIs = (id: string, status: string) =>
  eventually(`the status ${status}`, async () => (await getRequest(admin, id)).status === status, 45_000)

describe('while Temporal is away', { timeout: 120_000 }, () => {
  test('a submission is accepted, a decision waits, and both are carried out when it is back', async () => {
    const template = await it.template()
    await temporal.kill()
    const body = { template_id: template.id, requested_duration_mins: 60, justification: 'Now.' }
    const began = Date.now()
    const submitted = await alice.call<AccessRequest>('POST', '/access-requests', body)
    expect(submitted.status).toBe(202)
    expect(submitted.headers.get('location')).toBe(`/api/v1/access-requests/${submitted.body.id}`)
    const approved = await decide(bob, 'approve', submitted.body.id)
    expect(approved).toMatchObject({
      status: 202,
      body: { kind: 'approve', state: 'queued', result: null, problem: null },
    })
    expect(Date.now() - began).toBeLessThan(3_000)
    expect((await getRequest(alice, submitted.body.id)).status).toBe('pending')
    await temporal.restart()
    await statusIs(submitted.body.id, 'approved')
    const { body: command } = await bob.call<Command>(
      'GET',
      (approved.headers.get('location') ?? '').replace('/api/v1', ''),
    )
    expect(command).toMatchObject({ state: 'applied', result: { status: 'approved' } })
    const triggers = await eventually('both triggers', async () => {
      const found = await rows<{ trigger: string }>(it.sql`
        select trigger from script_runs where request_id = ${submitted.body.id} and status = 'succeeded' order by trigger`)
      return found.length === 2 && found.map(({ trigger }) => trigger)
    })
    expect(triggers).toEqual(['approved', 'created'])
    await decide(alice, 'revoke', submitted.body.id)
  })

  test('a revocation takes effect on tokens at once, and its workflow ends when it is back', async () => {
    const template = await it.template()
    const request = await submit(alice, template.id)
    await approveInTheEnd(bob, request.id)
    expect(await rolesOf(alice)).toEqual(['db-readonly'])
    await temporal.kill()
    const revoked = await decide(bob, 'revoke', request.id)
    expect(revoked).toMatchObject({ status: 202, body: { kind: 'revoke', state: 'applied' } })
    expect(await rolesOf(alice)).toBeUndefined()
    expect((await getRequest(alice, request.id)).status).toBe('revoked')
    await temporal.restart()
    const handle = it.client.workflow.getHandle(workflowId(request.id))
    await eventually(
      'the end of the workflow',
      async () => (await handle.describe()).status.name === 'COMPLETED',
      45_000,
    )
  })

  test('an approval that could not be carried out in its time lapses: noted, and still pending', async () => {
    const template = await it.template()
    const request = await submit(alice, template.id)
    await temporal.kill()
    const approved = await decide(bob, 'approve', request.id)
    expect(approved.status).toBe(202)
    await it.sql`update commands set not_after = clock_timestamp() where id = ${approved.body.id}`
    const path = (approved.headers.get('location') ?? '').replace('/api/v1', '')
    const command = await eventually('the end of the command', async () => {
      const { body } = await bob.call<Command>('GET', path)
      return body.state !== 'queued' && body
    })
    expect(command).toMatchObject({ state: 'rejected', result: null, problem: { code: 'unavailable' } })
    const { status, timeline } = await getRequest(alice, request.id)
    expect([status, timeline.at(-1)?.kind]).toEqual(['pending', 'approval_lapsed'])
    await temporal.restart()
    await approveInTheEnd(bob, request.id)
  })

  test('readiness says which part does not answer', async () => {
    await temporal.kill()
    const response = await fetch(`${it.url}/readyz`)
    const health = (await response.json()) as { parts: { name: string; ok: boolean }[] }
    expect(response.status).toBe(503)
    expect(health.parts.filter(({ ok }) => !ok).map(({ name }) => name)).toContain('temporal')
    expect((await fetch(`${it.url}/livez`)).status).toBe(200)
    await temporal.restart()
    await eventually('readiness', async () => (await fetch(`${it.url}/readyz`)).ok, 30_000)
  })
})

describe('an operator', () => {
  test('who terminates a workflow changes nothing: it is started again and the request is decided', async () => {
    const template = await it.template()
    const request = await submit(alice, template.id)
    const handle = it.client.workflow.getHandle(workflowId(request.id))
    await handle.terminate('a slip of the hand')
    await approveInTheEnd(bob, request.id)
    expect((await handle.describe()).status.name).toBe('RUNNING')
  })

  test('who forges an approval in the UI is refused, and the workflow goes on', async () => {
    const template = await it.template()
    const request = await submit(alice, template.id)
    const other = await submit(alice, (await it.template()).id)
    const stolen = await getRow<{ id: string }>(
      it.sql`select id from commands where request_id = ${other.id}`,
    )
    const handle = it.client.workflow.getHandle(workflowId(request.id))
    for (const command_id of [crypto.randomUUID(), stolen.id]) {
      await expect(handle.executeUpdate('approve', { args: [{ command_id }] })).rejects.toMatchObject({
        cause: { type: 'not_found' },
      })
    }
    const refused = { cause: { type: 'invalid_request' } }
    await expect(handle.executeUpdate('approve', { args: [] })).rejects.toMatchObject(refused)
    await expect(handle.executeUpdate('approve', { args: [{ command_id: 'no id' }] })).rejects.toMatchObject(
      refused,
    )
    expect((await getRequest(alice, request.id)).status).toBe('pending')
    await approveInTheEnd(bob, request.id)
  })
})
