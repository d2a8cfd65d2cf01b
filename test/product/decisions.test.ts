import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { getRow, rows } from '../../db/client.ts'
import type { AccessRequest } from '../../domain/access-request.ts'
import { getRequest, startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

let it: TestProduct
let alice: Caller
let bob: Caller
let dana: Caller
let carol: Caller
let admin: Caller

beforeAll(async () => {
  it = await startTestProduct()
  ;[alice, bob, dana, carol, admin] = (await Promise.all(
    ['alice', 'bob', 'dana', 'carol', 'admin'].map(it.as),
  )) as [Caller, Caller, Caller, Caller, Caller]
})
afterAll(() => it.close())

const post = (caller: Caller, path: string, body?: unknown, headers?: Record<string, string>) =>
  caller.call<AccessRequest & { code: string }>('POST', path, body, headers)

const decide = (caller: Caller, verb: string, id: string, body?: unknown, headers?: Record<string, string>) =>
  post(caller, `/access-requests/${id}/${verb}`, body, headers)

async function pending(overrides: Record<string, unknown> = {}, caller = alice): Promise<AccessRequest> {
  const template = await it.template(overrides)
  return submit(caller, template.id)
}

const codeOf = ({ status, body }: { status: number; body: { code: string } }) => [status, body.code]

describe('who may decide', () => {
  test('nobody decides a request of their own, whatever groups they are in', async () => {
    const request = await pending({}, bob)
    for (const verb of ['approve', 'deny'])
      expect(codeOf(await decide(bob, verb, request.id))).toEqual([403, 'self_approval_forbidden'])
    expect((await decide(dana, 'approve', request.id)).status).toBe(200)
  })

  test('an admin does not decide their own request either', async () => {
    const request = await pending({ approver_group_ids: [] }, admin)
    expect(codeOf(await decide(admin, 'approve', request.id))).toEqual([403, 'self_approval_forbidden'])
    expect(codeOf(await decide(admin, 'deny', request.id))).toEqual([403, 'self_approval_forbidden'])
  })

  test('the owner of the subject does not decide for it', async () => {
    const bot = await it.as('ci-bot')
    const { id: dba } = await getRow<{ id: string }>(it.sql`select id from groups where name = 'engineering'`)
    const template = await it.template({ approver_group_ids: [dba] })
    const request = await submit(bot, template.id)
    expect(codeOf(await decide(alice, 'approve', request.id))).toEqual([403, 'self_approval_forbidden'])
  })

  test('an admin who is no approver sees the request and may not decide it', async () => {
    const request = await pending()
    expect(codeOf(await decide(admin, 'approve', request.id))).toEqual([403, 'not_an_approver'])
  })

  test('to who may not see it there is no such request', async () => {
    const request = await pending()
    expect(codeOf(await decide(carol, 'approve', request.id))).toEqual([404, 'not_found'])
    expect((await carol.call('GET', `/access-requests/${request.id}`)).status).toBe(404)
    expect(codeOf(await decide(bob, 'approve', randomUUID()))).toEqual([404, 'not_found'])
    expect(codeOf(await decide(bob, 'approve', 'no-id'))).toEqual([404, 'not_found'])
  })

  test('the shape is checked before anything else', async () => {
    const request = await pending()
    expect(codeOf(await decide(carol, 'approve', request.id, { comment: 1 }))).toEqual([
      422,
      'invalid_request',
    ])
    expect(codeOf(await decide(bob, 'approve', request.id, { decided_by: bob.id }))).toEqual([
      422,
      'invalid_request',
    ])
  })

  test('with no approver group the admins decide', async () => {
    const request = await pending({ approver_group_ids: [] })
    expect(request.notified_approvers).toEqual(['admin@example.com'])
    expect((await decide(admin, 'approve', request.id)).status).toBe(200)
  })

  test('who has left the group since may no longer decide', async () => {
    const request = await pending()
    const { id: group } = await getRow<{ id: string }>(it.sql`select id from groups where name = 'dba-team'`)
    await it.sql`delete from memberships where group_id = ${group} and identity_id = ${bob.id}`
    expect(codeOf(await decide(bob, 'approve', request.id))).toEqual([404, 'not_found'])
    await it.sql`insert into memberships (group_id, identity_id) values (${group}, ${bob.id})`
    expect((await decide(bob, 'approve', request.id)).status).toBe(200)
  })

  test('groups named but nobody eligible: it stays pending and says so', async () => {
    const { id } = (await admin.call<{ id: string }>('POST', '/groups', { name: `empty ${randomUUID()}` }))
      .body
    const request = await pending({ approver_group_ids: [id] })
    expect(request.notified_approvers).toEqual([])
    expect((await getRequest(alice, request.id)).timeline.map(({ kind }) => kind)).toContain(
      'no_eligible_approver',
    )
  })
})

describe('what may happen when', () => {
  test.each(['approve', 'deny'])('%s of a decided request is refused with its status', async (verb) => {
    const request = await pending()
    await decide(bob, 'approve', request.id)
    const late = await decide(dana, verb, request.id)
    expect(late).toMatchObject({
      status: 409,
      body: { code: 'request_not_pending', request_status: 'approved' },
    })
  })

  test('a final request cannot be revoked', async () => {
    const request = await pending()
    await decide(bob, 'deny', request.id)
    expect(await decide(alice, 'revoke', request.id)).toMatchObject({
      status: 409,
      body: { code: 'request_not_active', request_status: 'denied' },
    })
  })

  test('an approver cannot cancel what is pending, but can revoke what is approved', async () => {
    const request = await pending()
    expect(codeOf(await decide(bob, 'revoke', request.id))).toEqual([403, 'forbidden'])
    await decide(bob, 'approve', request.id)
    expect((await decide(dana, 'revoke', request.id)).body.status).toBe('revoked')
  })

  test('an admin can cancel and revoke', async () => {
    const cancelled = await pending()
    expect((await decide(admin, 'revoke', cancelled.id)).body).toMatchObject({
      decision: 'cancelled',
      revoked_by: admin.id,
    })
    const ended = await pending()
    await decide(bob, 'approve', ended.id)
    expect((await decide(admin, 'revoke', ended.id)).body).toMatchObject({
      decision: 'approved',
      revoked_by: admin.id,
    })
  })

  test('a subject can end its access but not cancel the request of its owner', async () => {
    const bot = await it.as('ci-bot')
    const template = await it.template()
    const request = await submit(alice, template.id, { subject_id: bot.id })
    expect(codeOf(await decide(bot, 'revoke', request.id))).toEqual([403, 'forbidden'])
    await decide(bob, 'approve', request.id)
    expect((await decide(bot, 'revoke', request.id)).status).toBe(200)
  })
})

describe('at once', () => {
  test('20 clients approve, deny and cancel one request: exactly one of them changes it', async () => {
    for (let round = 0; round < 3; round++) {
      const request = await pending()
      const racers = Array.from(
        { length: 20 },
        (_, i) =>
          [
            () => decide(i % 2 ? bob : dana, 'approve', request.id),
            () => decide(i % 2 ? bob : dana, 'deny', request.id),
            () => decide(alice, 'revoke', request.id),
          ][i % 3]?.() ?? Promise.reject(new Error('no racer')),
      )
      const answers = await Promise.all(racers)
      const { status } = await getRequest(admin, request.id)
      const decisions = await rows(it.sql`select 1 from decisions where request_id = ${request.id}`)
      const changes = await rows<{ kind: string }>(it.sql`
        select kind from audit_events where request_id = ${request.id} and detail ? 'from' order by seq`)
      const kinds = changes.map(({ kind }) => kind.slice('access_request.'.length))
      expect(answers.every(({ status }) => [200, 409].includes(status))).toBe(true)
      expect(kinds.at(-1)).toBe(status)
      expect(decisions.length).toBe(kinds.filter((kind) => kind === 'approved' || kind === 'denied').length)
      expect(answers.filter(({ status }) => status === 200).length).toBe(kinds.length)
      expect(kinds.length).toBeLessThanOrEqual(2)
    }
  })

  test('ten submissions to one template make one request', async () => {
    const template = await it.template()
    const body = { template_id: template.id, requested_duration_mins: 60, justification: 'Now.' }
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(alice, '/access-requests', body)))
    expect(answers.map(codeOf).filter(([status]) => status === 201)).toHaveLength(1)
    expect(
      answers.map(codeOf).filter(([status, code]) => status === 409 && code === 'pending_request_exists'),
    ).toHaveLength(9)
  })

  test('a double click under one Idempotency-Key is one decision with one answer', async () => {
    const request = await pending()
    const headers = { 'idempotency-key': randomUUID() }
    const first = await decide(bob, 'approve', request.id, { comment: 'once' }, headers)
    const second = await decide(bob, 'approve', request.id, { comment: 'once' }, headers)
    expect([first.status, second.status]).toEqual([200, 200])
    expect(second.body).toEqual(first.body)
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    const other = await decide(bob, 'approve', request.id, { comment: 'twice' }, headers)
    expect(codeOf(other)).toEqual([422, 'idempotency_key_reused'])
  })

  test('a key whose first call has not ended is told so, and belongs to its caller alone', async () => {
    const template = await it.template()
    const headers = { 'idempotency-key': randomUUID() }
    const body = { template_id: template.id, requested_duration_mins: 60, justification: 'Now.' }
    const answers = await Promise.all([0, 1, 2, 3].map(() => post(alice, '/access-requests', body, headers)))
    const created = answers.filter(({ status }) => status === 201)
    expect(new Set(created.map(({ body: { id } }) => id)).size).toBe(1)
    expect(
      answers
        .filter(({ status }) => status !== 201)
        .every((answer) => answer.body.code === 'idempotency_in_progress'),
    ).toBe(true)
    expect((await post(bob, '/access-requests', body, headers)).status).toBe(201)
  })
})
