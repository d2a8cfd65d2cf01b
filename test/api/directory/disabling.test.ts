import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { nobody } from '../../../db/audit.ts'
import { getRow, rows } from '../../../db/client.ts'
import type { Identity } from '../../../domain/directory.ts'
import type { Template } from '../../../domain/template.ts'
import { createTestApi } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import {
  addAdmin,
  addGrant,
  addPerson,
  addRequest,
  addServiceAccount,
  addTemplate,
  decide,
  eventsOf,
} from '../../setup/people.ts'

/** Generous, for a machine that does much else. */
vi.setConfig({ testTimeout: 120_000 })

let database: TestDatabase
let api: TestApi
let admin: Identity
let template: Template

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql)
  admin = await addAdmin(database.sql)
  template = await addTemplate(database.sql)
})
afterAll(() => database.drop())

const patch = (id: string, body: object) => api.call('PATCH', `/identities/${id}`, { as: admin.id, body })

type State = { status: string; decision: string; revoked_by: string | null }
const stateOf = (request_id: string) =>
  getRow<State>(
    database.sql`select status, decision, revoked_by from access_requests where id = ${request_id}`,
  )

const reasonsOf = (request_id: string) =>
  rows<{ reason: string }>(database.sql`
    select detail ->> 'reason' as reason from audit_events
    where request_id = ${request_id} and kind = 'access_request.revoked'`)

test('Disabling an identity revokes what it asked for and was given, with an event each', async () => {
  const bob = await addPerson(database.sql)
  const granted = await addGrant(database.sql, template, bob)
  const pending = await addRequest(database.sql, template, bob)
  expect((await patch(bob.id, { status: 'disabled' })).status).toBe(200)
  expect(await stateOf(pending)).toEqual({ status: 'revoked', decision: 'cancelled', revoked_by: admin.id })
  expect(await stateOf(granted.request_id)).toMatchObject({ status: 'revoked', decision: 'approved' })
  for (const id of [pending, granted.request_id]) {
    expect(await reasonsOf(id)).toEqual([{ reason: 'identity_disabled' }])
    const sent = await rows(database.sql`
      select type from outbox_events where request_id = ${id} and type = 'access_request.revoked'`)
    expect(sent).toHaveLength(1)
  }
  const groups = await rows(database.sql`select id from groups where id = ${granted.group_id}`)
  expect(groups).toEqual([])
})

test('Disabling the subject revokes what its owner asked for; disabling the owner only what is still pending', async () => {
  const owner = await addPerson(database.sql)
  const [first, second] = [
    await addServiceAccount(database.sql, owner.id),
    await addServiceAccount(database.sql, owner.id),
  ]
  const granted = await addGrant(database.sql, template, owner, { subject_id: first.id })
  const pending = await addRequest(database.sql, template, owner, { subject_id: second.id })
  await patch(owner.id, { status: 'disabled' })
  expect(await stateOf(pending)).toMatchObject({ status: 'revoked' })
  expect(await stateOf(granted.request_id)).toMatchObject({ status: 'approved' })
  await patch(first.id, { status: 'disabled' })
  expect(await stateOf(granted.request_id)).toMatchObject({ status: 'revoked' })
})

test('An end in the past is the same as disabling, with a reason of its own', async () => {
  const bob = await addPerson(database.sql)
  const pending = await addRequest(database.sql, template, bob)
  await patch(bob.id, { expires_at: '2020-01-01T00:00:00Z' })
  expect(await stateOf(pending)).toMatchObject({ status: 'revoked' })
  expect(await reasonsOf(pending)).toEqual([{ reason: 'identity_expired' }])
})

test('An end in the future revokes nothing', async () => {
  const bob = await addPerson(database.sql)
  const pending = await addRequest(database.sql, template, bob)
  await patch(bob.id, { expires_at: '2099-01-01T00:00:00Z' })
  expect(await stateOf(pending)).toMatchObject({ status: 'pending' })
})

test('Enabling restores nothing', async () => {
  const bob = await addPerson(database.sql)
  const granted = await addGrant(database.sql, template, bob)
  await patch(bob.id, { status: 'disabled' })
  await patch(bob.id, { status: 'active' })
  expect(await stateOf(granted.request_id)).toMatchObject({ status: 'revoked' })
  const { body } = await api.call('GET', '/me', { as: bob.id })
  expect(body).toMatchObject({ groups: [], permissions: [] })
})

test('What has ended stays as it ended, and other people keep theirs', async () => {
  const [bob, carol] = [await addPerson(database.sql), await addPerson(database.sql)]
  const denied = await addRequest(database.sql, template, bob)
  await decide(database.sql, denied, { event: 'denied', actor: admin, source: 'approver', comment: null })
  const hers = await addRequest(database.sql, template, carol)
  await patch(bob.id, { status: 'disabled' })
  expect(await stateOf(denied)).toMatchObject({ status: 'denied' })
  expect(await stateOf(hers)).toMatchObject({ status: 'pending' })
})

test('A refused change revokes nothing', async () => {
  const bob = await addPerson(database.sql)
  const pending = await addRequest(database.sql, template, bob)
  const answer = await patch(bob.id, { status: 'disabled', email: admin.email })
  expect(answer.status).toBe(409)
  expect(await stateOf(pending)).toMatchObject({ status: 'pending' })
})

test('A disabled identity is refused at the door', async () => {
  const bob = await addPerson(database.sql)
  await patch(bob.id, { status: 'disabled' })
  expect((await api.call('GET', '/me', { as: bob.id })).status).toBe(401)
})

test('Disabling against approvals under way: nobody who is disabled keeps a grant, and nothing deadlocks', async () => {
  for (let trial = 0; trial < 40; trial += 1) {
    const bob = await addPerson(database.sql)
    const requests = [
      await addRequest(database.sql, template, bob),
      await addRequest(database.sql, await addTemplate(database.sql), bob),
    ]
    const approve = (id: string) =>
      decide(database.sql, id, { event: 'approved', actor: nobody, source: 'auto', comment: null }).catch(
        (error: unknown) => expect(String(error)).toContain('cannot happen to a request that is revoked'),
      )
    const [answer] = await Promise.all([patch(bob.id, { status: 'disabled' }), ...requests.map(approve)])
    expect(answer.status).toBe(200)
    for (const id of requests) expect(await stateOf(id)).toMatchObject({ status: 'revoked' })
    const open = await rows(
      database.sql`select id from grants where subject_id = ${bob.id} and ended_at is null`,
    )
    expect(open).toEqual([])
    const events = await eventsOf(database.sql, bob.id)
    expect(events.map(({ kind }) => kind)).toEqual(['identity.created', 'identity.updated'])
  }
})

test('Disabling against submitting: nobody who is disabled has an open request left', async () => {
  for (let trial = 0; trial < 60; trial += 1) {
    const bob = await addPerson(database.sql)
    await Promise.all([
      addRequest(database.sql, template, bob).catch((error: unknown) => expect(error).toBeInstanceOf(Error)),
      patch(bob.id, { status: 'disabled' }),
    ])
    const open = await rows(database.sql`
      select id from access_requests where requester_id = ${bob.id} and status = 'pending'`)
    expect(open).toEqual([])
  }
})
