import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { getRow, rows } from '../../db/client.ts'
import { sweep } from '../../db/requests/clock.ts'
import type { AccessRequest } from '../../domain/access-request.ts'
import { expirySchedule, workflowId } from '../../workflows/contract.ts'
import { eventually, getRequest, startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'
import { fastForward } from '../setup/temporal.ts'

let it: TestProduct
let alice: Caller
let bob: Caller
let carol: Caller
let admin: Caller

beforeAll(async () => {
  it = await startTestProduct()
  ;[alice, bob, carol, admin] = (await Promise.all(['alice', 'bob', 'carol', 'admin'].map(it.as))) as [
    Caller,
    Caller,
    Caller,
    Caller,
  ]
})
afterAll(() => it.close())

const minutes = (count: number) => count * 60_000

const approve = (caller: Caller, id: string) =>
  caller.call<AccessRequest>('POST', `/access-requests/${id}/approve`)

const payloadOf = async (caller: Caller) => {
  const { id } = await getRow<{ id: string }>(it.sql`select id from applications`)
  const { body } = await caller.call<{ access_token: string }>('POST', `/applications/${id}/token`)
  return decodeJwt<{ roles?: string[]; exp: number }>(body.access_token)
}

test('nobody decides: after its time the request goes to the escalation group as well, once', async () => {
  const template = await it.template()
  const request = await submit(alice, template.id)
  expect((await approve(carol, request.id)).status).toBe(404)
  expect(await fastForward(it.client, workflowId(request.id), minutes(31))).toBe(true)
  const escalated = await getRequest(carol, request.id)
  expect(escalated.notified_approvers).toEqual(['bob@example.com', 'dana@example.com', 'carol@example.com'])
  expect(escalated.escalated_at).not.toBeNull()
  const events = await rows(it.sql`
    select 1 from outbox_events where request_id = ${request.id} and type = 'access_request.escalated'`)
  expect(events).toHaveLength(1)
  expect((await approve(carol, request.id)).body).toMatchObject({ status: 'approved', decided_by: carol.id })
  await alice.call('POST', `/access-requests/${request.id}/revoke`)
})

test('the escalation happens even if its group is empty', async () => {
  const { id } = (await admin.call<{ id: string }>('POST', '/groups', { name: 'nobody here' })).body
  const template = await it.template({ escalation_group_id: id, escalation_after_mins: 5 })
  const request = await submit(alice, template.id)
  await fastForward(it.client, workflowId(request.id), minutes(6))
  expect(await getRequest(alice, request.id)).toMatchObject({
    notified_approvers: ['bob@example.com', 'dana@example.com'],
    status: 'pending',
    escalated_at: expect.stringMatching(/Z$/) as string,
  })
})

test('an access of eight hours ends by its workflow, with its trigger told', async () => {
  const template = await it.template()
  const request = await submit(alice, template.id, { requested_duration_mins: 480 })
  await approve(bob, request.id)
  await fastForward(it.client, workflowId(request.id), minutes(481))
  expect(await getRequest(alice, request.id)).toMatchObject({
    status: 'expired',
    decision: 'approved',
    revoked_by: null,
  })
  expect((await payloadOf(alice)).roles).toBeUndefined()
  const run = await eventually('the expired run', async () => {
    const [found] = await rows<{ result: string }>(it.sql`
      select result from script_runs where request_id = ${request.id} and trigger = 'expired' and status = 'succeeded'`)
    return found
  })
  expect(run.result).toContain('=== access_request.expired ===')
})

test('an access of one minute ends within 5 s of its time, and a token minted one second before does not outlive it', async () => {
  const template = await it.template({ allowed_durations: [] })
  const request = await submit(alice, template.id, { requested_duration_mins: 1 })
  const { body } = await approve(bob, request.id)
  const end = Date.parse(body.expires_at ?? '')
  await new Promise((resolve) => setTimeout(resolve, end - Date.now() - 1_500))
  const last = await payloadOf(alice)
  expect(last.roles).toEqual(['db-readonly'])
  expect(last.exp * 1_000).toBeLessThanOrEqual(end)
  await new Promise((resolve) => setTimeout(resolve, end - Date.now()))
  expect((await payloadOf(alice)).roles).toBeUndefined()
  await eventually('the end', async () => (await getRequest(alice, request.id)).status === 'expired', 5_000)
}, 90_000)

test('claims stop when the grant ends, even if nothing has run to end it', async () => {
  const template = await it.template({ auto_approve: true })
  const request = await submit(alice, template.id)
  expect((await payloadOf(alice)).roles).toEqual(['db-readonly'])
  await passTime(request.id)
  expect((await payloadOf(alice)).roles).toBeUndefined()
  const stored = await getRow<{ status: string }>(
    it.sql`select status from access_requests where id = ${request.id}`,
  )
  expect(stored.status).toBe('approved')

  const ended = await Promise.all([sweep(it.sql), sweep(it.sql), sweep(it.sql)])
  expect(ended.flat()).toEqual([request.id])
  const audit = await rows(it.sql`
    select 1 from audit_events where request_id = ${request.id} and kind = 'access_request.expired'`)
  expect(audit).toHaveLength(1)
})

test('an identity that expires loses what it has and what it has asked for', async () => {
  const bot = await it.as('ci-bot')
  const [one, two] = [await it.template({ auto_approve: true }), await it.template()]
  const [held, asked] = [await submit(bot, one.id), await submit(bot, two.id)]
  await it.sql`update identities set expires_at = clock_timestamp() where id = ${bot.id}`
  await sweep(it.sql)
  const states = await rows(it.sql`
    select status, decision, revoked_by from access_requests where id in (${held.id}, ${asked.id}) order by id`)
  expect(states).toEqual([
    { status: 'revoked', decision: 'approved', revoked_by: null },
    { status: 'revoked', decision: 'cancelled', revoked_by: null },
  ])
  await it.sql`update identities set expires_at = null where id = ${bot.id}`
})

test('the sweep stands in Temporal as a schedule, every 5 minutes', async () => {
  const { spec, action } = await it.client.schedule.getHandle(expirySchedule.id).describe()
  expect(spec.intervals?.[0]?.every).toBe(300_000)
  expect(action).toMatchObject({ type: 'startWorkflow', workflowType: 'accessRequestExpiry' })
})

/** Lets the time of a grant be over, which the product itself never allows. */
async function passTime(id: string): Promise<void> {
  await it.sql.begin(async (tx) => {
    await tx`alter table access_requests disable trigger access_requests_lifecycle`
    await tx`update access_requests set expires_at = clock_timestamp() - interval '1 minute' where id = ${id}`
    await tx`update grants set starts_at = starts_at - interval '1 day', expires_at = clock_timestamp() - interval '1 minute' where request_id = ${id}`
    await tx`update groups set expires_at = clock_timestamp() - interval '1 minute' where name = ${`__access_req_${id}`}`
    await tx`alter table access_requests enable trigger access_requests_lifecycle`
  })
}
