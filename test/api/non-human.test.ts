import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { getRow } from '../../db/client.ts'
import type { AccessRequest } from '../../domain/access-request.ts'
import { addGroup, addMember, addPerson, fresh } from '../setup/people.ts'
import { startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'
import { expectRefusal } from '../setup/api.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

let product: TestProduct
let admin: Caller
let alice: Caller
let bot: Caller

beforeAll(async () => {
  product = await startTestProduct()
  admin = await product.as('admin')
  alice = await product.as('alice')
  bot = await product.as('ci-bot')
})
afterAll(() => product.close())

const machine = (fields: object = {}) => ({
  kind: 'workload',
  email: `${fresh('workload')}@example.com`,
  display_name: 'Workload',
  owner_id: alice.id,
  purpose: 'Migrates the database',
  privilege_class: 'high',
  rotation_days: 30,
  ...fields,
})
const create = (fields: object) =>
  admin.call<{ id: string; rotation_days: number | null }>('POST', '/identities', fields)
const change = (id: string, fields: object) => admin.call('PATCH', `/identities/${id}`, fields)

describe('A non-human identity', () => {
  test.each([
    ['an owner', '/owner_id', { owner_id: null }],
    ['a purpose', '/purpose', { purpose: undefined }],
    ['a purpose that says something', '/purpose', { purpose: ' ' }],
    ['a privilege class', '/privilege_class', { privilege_class: undefined }],
  ])('is not made without %s', async (_, pointer, fields) => {
    for (const kind of ['service_account', 'workload', 'agent'])
      expectRefusal(await create(machine({ kind, ...fields })), 422, 'invalid_request', pointer)
  })

  test('has an end or an age at which its credentials are changed, said or not', async () => {
    const silent = await create(machine({ rotation_days: undefined }))
    expect([silent.status, silent.body.rotation_days]).toEqual([201, 90])
    const ending = await create(machine({ rotation_days: undefined, expires_at: '2099-01-01T00:00:00Z' }))
    expect([ending.status, ending.body.rotation_days]).toEqual([201, null])
    expectRefusal(
      await change(ending.body.id, { expires_at: null }),
      422,
      'invalid_request',
      '/rotation_days',
    )
    expect((await change(ending.body.id, { expires_at: null, rotation_days: 7 })).status).toBe(200)
  })

  test.each([
    ['/purpose', { purpose: null }],
    ['/privilege_class', { privilege_class: null }],
    ['/rotation_days', { rotation_days: null }],
    ['/owner_id', { owner_id: null }],
  ])('does not lose its %s', async (pointer, fields) => {
    const { body } = await create(machine())
    expectRefusal(await change(body.id, fields), 422, 'invalid_request', pointer)
  })

  test('that lacks something from before can still be renamed and disabled, and is mended in steps', async () => {
    const { body } = await create(machine())
    await product.sql`update identities set purpose = null, privilege_class = null where id = ${body.id}`
    expect((await change(body.id, { display_name: 'Old' })).status).toBe(200)
    expect((await change(body.id, { purpose: 'Migrates' })).status).toBe(200)
    expectRefusal(await change(body.id, { purpose: null }), 422, 'invalid_request', '/purpose')
    expect((await change(body.id, { status: 'disabled' })).status).toBe(200)
  })

  test('comes of a person only with all that it has to have', async () => {
    const person = await addPerson(product.sql)
    const answer = await change(person.id, { kind: 'agent', owner_id: alice.id })
    expectRefusal(answer, 422, 'invalid_request', '/purpose')
    const { email: _, display_name: _d, ...rest } = machine()
    expect((await change(person.id, rest)).status).toBe(200)
  })
})

async function asMachine(id: string): Promise<Caller> {
  const { email } = await getRow<{ email: string }>(
    product.sql`select email from identities where id = ${id}`,
  )
  return product.as(email.replace('@example.com', ''))
}

const template = (fields: object) =>
  product.template({ allowed_group_ids: [], trigger_task_id: null, ...fields })

describe('A request of a non-human identity', () => {
  test('is made by itself, by the same call as anybody’s, and decided by people', async () => {
    const { id } = await template({})
    const asked = await submit(bot, id)
    expect(asked).toMatchObject({ requester_id: bot.id, subject_id: bot.id, status: 'pending' })
    const bob = await product.as('bob')
    const { status, body } = await bob.call<AccessRequest>('POST', `/access-requests/${asked.id}/approve`)
    expect([status, body.status, body.decided_by]).toEqual([200, 'approved', bob.id])
  })

  test('is made by its owner and by a named delegate, and by nobody else', async () => {
    const [delegate, stranger] = [await product.as('carol'), await product.as('dana')]
    expect((await change(bot.id, { delegate_ids: [delegate.id] })).status).toBe(200)
    for (const caller of [alice, delegate]) {
      const asked = await submit(caller, (await template({})).id, { subject_id: bot.id })
      expect(asked).toMatchObject({ requester_id: caller.id, subject_id: bot.id })
    }
    const { id: template_id } = await template({})
    for (const caller of [stranger, admin]) {
      const answer = await caller.call('POST', '/access-requests', {
        template_id,
        requested_duration_mins: 60,
        justification: 'Mine now.',
        subject_id: bot.id,
      })
      expectRefusal(answer, 403, 'subject_not_allowed')
    }
  })

  test('is made by it for itself alone: not for its owner, nor for another machine of its owner', async () => {
    const { body: other } = await create(machine())
    const { id: template_id } = await template({})
    for (const subject_id of [alice.id, other.id]) {
      const asked = { template_id, requested_duration_mins: 60, justification: 'For a friend.', subject_id }
      expectRefusal(await bot.call('POST', '/access-requests', asked), 403, 'subject_not_allowed')
    }
  })

  const decide = (caller: Caller, id: string, verb: string) =>
    caller.call('POST', `/access-requests/${id}/${verb}`)

  /** What no code path does is refused by the database itself. */
  const insertDecision = (request_id: string, approver_id: string) =>
    product.sql`insert into decisions (id, request_id, approver_id, decision, source)
      values (${crypto.randomUUID()}, ${request_id}, ${approver_id}, 'approved', 'approver')`.catch(
      (error: unknown) => error,
    )

  test('is decided neither by its owner nor by a delegate, though they approve all others', async () => {
    const approvers = await addGroup(product.sql, [alice, await product.as('carol')])
    await change(bot.id, { delegate_ids: [(await product.as('carol')).id] })
    const { id } = await template({ approver_group_ids: [approvers.id] })
    const asked = await submit(bot, id)
    // A delegate who did not ask does not see it either.
    const refusals = [
      [alice, 403, 'self_approval_forbidden'],
      [await product.as('carol'), 404, 'not_found'],
    ] as const
    for (const [caller, status, code] of refusals) {
      for (const verb of ['approve', 'deny'])
        expectRefusal(await decide(caller, asked.id, verb), status, code)
      expect(await insertDecision(asked.id, caller.id)).toMatchObject({ code: 'HP002' })
      const { body } = await caller.call<{ data: AccessRequest[] }>('GET', '/access-requests/pending')
      expect(body.data.map((request) => request.id)).not.toContain(asked.id)
    }
    expect(asked.notified_approvers).toEqual([])
  })

  test.each([
    ['a member of the approvers', {}],
    [
      'an admin where admins decide',
      { approver_group_ids: [], escalation_after_mins: null, escalation_group_id: null },
    ],
  ])('of a person is never decided by a machine that is %s', async (_, fields) => {
    const { sql } = product
    const { body } = await create(machine({ kind: 'agent' }))
    const approvers = await addGroup(sql, [], { permissions: ['access_requests.manage'] })
    await addMember(sql, approvers, body)
    const { id } = await template({ approver_group_ids: [approvers.id], ...fields })
    const asked = await submit(alice, id)
    const agent = await asMachine(body.id)
    for (const verb of ['approve', 'deny'])
      expectRefusal(await decide(agent, asked.id, verb), 403, 'not_an_approver')
    expect(await insertDecision(asked.id, body.id)).toMatchObject({ code: 'HP002' })
    const { body: waiting } = await agent.call<{ data: unknown[] }>('GET', '/access-requests/pending')
    expect(waiting.data).toEqual([])
    expect(await getRow(sql`select status from access_requests where id = ${asked.id}`)).toEqual({
      status: 'pending',
    })
  })

  test('ends with it: its own end, and its disabling, take what it asked for and holds', async () => {
    const { body } = await create(machine())
    const asked = await submit(await asMachine(body.id), (await template({})).id)
    expect((await change(body.id, { expires_at: '2020-01-01T00:00:00Z' })).status).toBe(200)
    expect(await getRow(product.sql`select status from access_requests where id = ${asked.id}`)).toEqual({
      status: 'revoked',
    })
  })
})
