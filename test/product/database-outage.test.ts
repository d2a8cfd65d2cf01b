import { afterAll, beforeAll, expect, test } from 'vitest'

import { rows } from '../../db/client.ts'
import type { AccessRequest } from '../../domain/access-request.ts'
import { workflowId } from '../../workflows/contract.ts'
import { startDisposablePostgres } from '../setup/disposable.ts'
import { eventually, getRequest, startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

let postgres: Awaited<ReturnType<typeof startDisposablePostgres>>
let it: TestProduct
let alice: Caller
let bob: Caller

beforeAll(async () => {
  postgres = await startDisposablePostgres()
  it = await startTestProduct({ database_url: postgres.url })
  ;[alice, bob] = (await Promise.all(['alice', 'bob'].map(it.as))) as [Caller, Caller]
}, 90_000)
afterAll(() => it.close())

const approve = (id: string) => bob.call<AccessRequest>('POST', `/access-requests/${id}/approve`)

test('while PostgreSQL is away every call says so, and nothing that was accepted is lost', async () => {
  const template = await it.template()
  const request = await submit(alice, template.id)
  await postgres.kill()
  const refused = await approve(request.id)
  expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable' } })
  expect(refused.headers.get('retry-after')).toBe('5')
  expect((await fetch(`${it.url}/readyz`)).status).toBe(503)
  await postgres.restart()
  await eventually('the database', async () => (await getRequest(alice, request.id)).status === 'pending')
  expect((await approve(request.id)).body.status).toBe('approved')
}, 60_000)

test('a workflow that meets a database that is away waits, and goes on where it was', async () => {
  const template = await it.template({ allowed_durations: [] })
  const request = await submit(alice, template.id, { requested_duration_mins: 60 })
  await approve(request.id)
  await postgres.kill()
  await it.client.workflow.getHandle(workflowId(request.id)).signal('poke')
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  await postgres.restart()
  await eventually('an answer to the revocation', async () => {
    const { status } = await alice.call<AccessRequest>('POST', `/access-requests/${request.id}/revoke`)
    return status === 200 || status === 202
  })
  await eventually('the revocation', async () => (await getRequest(alice, request.id)).status === 'revoked')
  expect(await it.client.workflow.getHandle(workflowId(request.id)).result()).toBe('revoked')
  const changes = await rows(it.sql`
    select kind from audit_events where request_id = ${request.id} and detail ? 'from' order by seq`)
  expect(changes).toEqual([{ kind: 'access_request.approved' }, { kind: 'access_request.revoked' }])
}, 60_000)
