import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { getRow } from '../../db/client.ts'
import { claimEvents } from '../../db/outbox.ts'
import { claimCommands } from '../../db/requests/commands.ts'
import type { AccessRequest } from '../../domain/access-request.ts'
import { workflowId } from '../../workflows/contract.ts'
import { eventually, getRequest, startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

let it: TestProduct
let alice: Caller
let bob: Caller
let admin: Caller

beforeAll(async () => {
  it = await startTestProduct()
  ;[alice, bob, admin] = (await Promise.all(['alice', 'bob', 'admin'].map(it.as))) as [Caller, Caller, Caller]
})
afterAll(() => it.close())

const decide = (caller: Caller, verb: string, id: string) =>
  caller.call<AccessRequest & { code: string }>('POST', `/access-requests/${id}/${verb}`)

const idOf = async (table: string, name: string) =>
  (await getRow<{ id: string }>(it.sql`select id from ${it.sql(table)} where name = ${name}`)).id

test('a command and an event that were tried five thousand times keep nobody else waiting', async () => {
  const request = await submit(alice, (await it.template()).id)
  await it.sql`insert into commands (id, request_id, kind, attempts) values (${randomUUID()}, ${request.id}, 'deny', 5000)`
  await it.sql`update outbox_events set dispatched_at = null, settled_at = null, attempts = 5000 where request_id = ${request.id}`
  await expect(claimCommands(it.sql)).resolves.toBeInstanceOf(Array)
  await expect(claimEvents(it.sql)).resolves.toBeInstanceOf(Array)
})

test('approver groups with long names do not keep a request from its decision', async () => {
  const names = Array.from({ length: 15 }, (_, i) => `${'ü'.repeat(190)}${i}`)
  const created = await Promise.all(
    names.map((name) => admin.call<{ id: string }>('POST', '/groups', { name })),
  )
  const approver_group_ids = [await idOf('groups', 'dba-team'), ...created.map(({ body }) => body.id)]
  const request = await submit(alice, (await it.template({ approver_group_ids })).id)
  expect((await decide(bob, 'approve', request.id)).body.status).toBe('approved')
})

test('who has expired since they asked gets nothing, although nothing has run to tell', async () => {
  const { body: eve } = await admin.call<{ id: string }>('POST', '/identities', {
    email: 'eve@example.com',
    display_name: 'Eve',
  })
  await admin.call('PATCH', `/identities/${(await it.as('ci-bot')).id}`, { owner_id: eve.id })
  const bot = await it.as('ci-bot')
  const asked = await submit(await it.as('eve'), (await it.template()).id, { subject_id: bot.id })
  await it.sql`update identities set expires_at = clock_timestamp() where id = ${eve.id}`
  expect(await decide(bob, 'approve', asked.id)).toMatchObject({
    status: 409,
    body: { code: 'request_not_pending', request_status: 'revoked' },
  })
  expect(await getRequest(admin, asked.id)).toMatchObject({ status: 'revoked', decision: 'cancelled' })
  await it.sql`update identities set expires_at = null where id = ${eve.id}`
})

test('a revocation whose server died before it was sent is carried out all the same', async () => {
  const request = await submit(alice, (await it.template({ auto_approve: true })).id)
  await it.client.workflow.getHandle(workflowId(request.id)).terminate('the engine will not answer')
  await it.sql`insert into commands (id, request_id, kind, actor_id, actor_email)
    values (${randomUUID()}, ${request.id}, 'revoke', ${alice.id}, 'alice@example.com')`
  await eventually('the revocation', async () => (await getRequest(admin, request.id)).status === 'revoked')
})

test('a refusal is never larger than what was refused', async () => {
  const template_id = (await it.template()).id
  const junk = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`unknown_${i}`, 1]))
  const shape = await alice.call<{ errors: unknown[] }>('POST', '/access-requests', { template_id, ...junk })
  const custom_answers = junk
  const body = { template_id, requested_duration_mins: 60, justification: 'x', custom_answers }
  const answers = await alice.call<{ code: string; errors: unknown[] }>('POST', '/access-requests', body)
  expect([shape.status, answers.status, answers.body.code]).toEqual([422, 422, 'invalid_custom_answers'])
  expect(JSON.stringify([shape.body, answers.body]).length).toBeLessThan(20_000)
})

test('an approver reads when tokens were issued under a request, and nothing else that they say', async () => {
  const payroll = (
    await admin.call<{ id: string }>('POST', '/applications', { name: 'Payroll', slug: 'payroll' })
  ).body
  const mapping = (
    await admin.call<{ id: string }>('POST', `/applications/${payroll.id}/mappings`, {
      name: 'auditor',
      claim: 'pay',
      value: 'hidden-right',
    })
  ).body
  await admin.call('PUT', `/groups/${await idOf('groups', 'engineering')}/mappings/${mapping.id}`)
  const request = await submit(alice, (await it.template()).id)
  await decide(bob, 'approve', request.id)
  expect((await alice.call('POST', `/applications/${payroll.id}/token`)).status).toBe(200)
  const { timeline } = await getRequest(bob, request.id)
  const issued = timeline.filter(({ kind }) => kind === 'token.issued')
  expect(issued.map(({ detail }) => Object.keys(detail).sort())).toEqual([['aud', 'exp', 'jti']])
  expect(JSON.stringify(timeline)).not.toContain('hidden-right')
})

test('nobody fills the queue of a request for everybody else', async () => {
  const request = await submit(alice, (await it.template()).id)
  await it.sql`insert into commands (id, request_id, kind, actor_id, next_attempt_at)
    select gen_random_uuid(), ${request.id}, 'approve', ${bob.id}, clock_timestamp() + interval '1 hour'
    from generate_series(1, 20)`
  expect(await decide(bob, 'approve', request.id)).toMatchObject({
    status: 429,
    body: { code: 'rate_limited' },
  })
  const dana = await it.as('dana')
  expect((await decide(dana, 'approve', request.id)).body.status).toBe('approved')
})
