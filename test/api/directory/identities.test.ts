import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { Identity } from '../../../domain/directory.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import { addAdmin, addPerson, addServiceAccount, eventsOf, fresh } from '../../setup/people.ts'

let database: TestDatabase
let api: TestApi
let admin: Identity
let alice: Identity

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql)
  admin = await addAdmin(database.sql)
  alice = await addPerson(database.sql, { email: 'Alice@example.com' })
})
afterAll(() => database.drop())

const post = (body: object) => api.call<Identity>('POST', '/identities', { as: admin.id, body })
const patch = (id: string, body: object) =>
  api.call<Identity>('PATCH', `/identities/${id}`, { as: admin.id, body })
const bot = (fields: object) => ({
  kind: 'service_account',
  purpose: 'Runs the builds',
  privilege_class: 'low',
  email: fresh('bot'),
  display_name: 'Bot',
  owner_id: alice.id,
  ...fields,
})

describe('creating an identity', () => {
  test('answers 201 with its place, its version and every default', async () => {
    const answer = await post({ email: ' carol@example.com ', display_name: 'Carol' })
    expect(answer.status).toBe(201)
    expect(answer.headers.get('location')).toBe(`/api/v1/identities/${answer.body.id}`)
    expect(answer.headers.get('etag')).toBe('"1"')
    expect(answer.body).toMatchObject({
      email: 'carol@example.com',
      kind: 'human',
      status: 'active',
      owner_id: null,
      delegate_ids: [],
      expires_at: null,
    })
    const [event] = await eventsOf(database.sql, answer.body.id)
    expect(event).toMatchObject({
      kind: 'identity.created',
      actor_id: admin.id,
      detail: { display_name: 'Carol' },
    })
  })

  test('keeps an owner, delegates and an end of a non-human one', async () => {
    const bob = await addPerson(database.sql)
    const input = bot({ delegate_ids: [bob.id], expires_at: '2099-01-01T02:00:00+02:00', rotation_days: 90 })
    const { body } = await post(input)
    expect(body).toMatchObject({ owner_id: alice.id, delegate_ids: [bob.id], rotation_days: 90 })
    expect(body.expires_at).toBe('2099-01-01T00:00:00.000Z')
    const { body: read } = await api.call('GET', `/identities/${body.id}`, { as: alice.id })
    expect(read).toEqual(body)
  })

  test('refuses an e-mail that is taken, in whatever case', async () => {
    const answer = await post({ email: 'aLICE@EXAMPLE.COM', display_name: 'Another' })
    expectRefusal(answer, 409, 'name_taken', '/email')
  })

  test.each([
    ['a person without an address', { email: 'carol', display_name: 'C' }, '/email'],
    ['spaces in an address', { email: 'a b@example.com', display_name: 'C' }, '/email'],
    ['an invisible character', { email: 'a\u200bb@example.com', display_name: 'C' }, '/email'],
    ['a blank name', { email: 'c1@example.com', display_name: ' ' }, '/display_name'],
    ['no name', { email: 'c1@example.com' }, '/display_name'],
    ['an unknown kind', { email: 'c1@example.com', display_name: 'C', kind: 'robot' }, '/kind'],
    [
      'an end that is no date',
      { email: 'c@example.com', display_name: 'C', expires_at: 'soon' },
      '/expires_at',
    ],
    [
      'an end in the year 0',
      { email: 'c@e.com', display_name: 'C', expires_at: '0000-01-01T00:00:00Z' },
      '/expires_at',
    ],
    ['half a rotation day', { email: 'c@e.com', display_name: 'C', rotation_days: 0.5 }, '/rotation_days'],
    ['its own id', { id: crypto.randomUUID(), email: 'c@e.com', display_name: 'C' }, '/id'],
  ])('refuses %s', async (_, body, pointer) => {
    expectRefusal(await post(body), 422, 'invalid_request', pointer)
  })

  test('refuses a person with an owner or delegates', async () => {
    const body = { email: 'd@example.com', display_name: 'D', owner_id: alice.id, delegate_ids: [alice.id] }
    const answer = await post(body)
    expectRefusal(answer, 422, 'invalid_request', '/owner_id')
    expectRefusal(answer, 422, 'invalid_request', '/delegate_ids')
  })

  test('refuses a non-human one whose owner is missing, unknown, not a person, disabled or expired', async () => {
    const other = await addServiceAccount(database.sql, alice.id)
    const disabled = await addPerson(database.sql, { status: 'disabled' })
    const expired = await addPerson(database.sql, { expires_at: '2020-01-01T00:00:00Z' })
    const owners = [null, crypto.randomUUID(), other.id, disabled.id, expired.id]
    for (const owner_id of owners) {
      expectRefusal(await post(bot({ owner_id })), 422, 'invalid_request', '/owner_id')
    }
  })

  test('refuses delegates that are unknown, not people, or named twice', async () => {
    const other = await addServiceAccount(database.sql, alice.id)
    const unknown = await post(bot({ delegate_ids: [alice.id, crypto.randomUUID()] }))
    expectRefusal(unknown, 422, 'invalid_request', '/delegate_ids/1')
    const machine = await post(bot({ delegate_ids: [other.id] }))
    expectRefusal(machine, 422, 'invalid_request', '/delegate_ids/0')
    const twice = await post(bot({ delegate_ids: [alice.id, alice.id.toUpperCase()] }))
    expectRefusal(twice, 422, 'invalid_request', '/delegate_ids')
  })
})

describe('changing an identity', () => {
  test('changes the fields that are sent and no others, and says which in the audit log', async () => {
    const before = await addServiceAccount(database.sql, alice.id, { purpose: 'builds' })
    const answer = await patch(before.id, { display_name: 'Renamed', privilege_class: 'high' })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('etag')).toBe('"2"')
    const { updated_at, ...rest } = before
    expect(answer.body).toMatchObject({ ...rest, display_name: 'Renamed', privilege_class: 'high' })
    expect(answer.body.updated_at > updated_at).toBe(true)
    const events = await eventsOf(database.sql, before.id)
    expect(events.map(({ kind }) => kind)).toEqual(['identity.created', 'identity.updated'])
    expect(events[1]?.detail).toEqual({
      before: { display_name: before.display_name, privilege_class: 'low' },
      after: { display_name: 'Renamed', privilege_class: 'high' },
    })
  })

  test('that changes nothing leaves the version and the audit log alone', async () => {
    const bob = await addPerson(database.sql)
    const before = await addServiceAccount(database.sql, alice.id, { delegate_ids: [alice.id, bob.id] })
    const answer = await patch(before.id, {
      delegate_ids: [bob.id, alice.id],
      display_name: before.display_name,
    })
    expect(answer.headers.get('etag')).toBe('"1"')
    expect(answer.body).toEqual(before)
    expect(await eventsOf(database.sql, before.id)).toHaveLength(1)
  })

  test('refuses an e-mail that another has', async () => {
    const bob = await addPerson(database.sql)
    expectRefusal(await patch(bob.id, { email: alice.email }), 409, 'name_taken', '/email')
  })

  test('refuses an owner for a person and no owner for anything else', async () => {
    const account = await addServiceAccount(database.sql, alice.id)
    expectRefusal(await patch(account.id, { owner_id: null }), 422, 'invalid_request', '/owner_id')
    expectRefusal(await patch(alice.id, { owner_id: admin.id }), 422, 'invalid_request', '/owner_id')
    expectRefusal(await patch(account.id, { kind: 'human' }), 422, 'invalid_request', '/owner_id')
  })

  test('lets a machine be edited after its owner has left, but not enabled again', async () => {
    const owner = await addPerson(database.sql)
    const account = await addServiceAccount(database.sql, owner.id)
    await patch(owner.id, { status: 'disabled' })
    expect((await patch(account.id, { purpose: 'orphaned', status: 'disabled' })).status).toBe(200)
    expectRefusal(await patch(account.id, { status: 'active' }), 422, 'invalid_request', '/owner_id')
    expect((await patch(account.id, { status: 'active', owner_id: alice.id })).status).toBe(200)
  })

  test('refuses to make a machine of whoever owns or is a delegate of one, or of its own owner', async () => {
    const owner = await addPerson(database.sql)
    const delegate = await addPerson(database.sql)
    await addServiceAccount(database.sql, owner.id, { delegate_ids: [delegate.id] })
    for (const { id } of [owner, delegate]) {
      expectRefusal(await patch(id, { kind: 'agent', owner_id: alice.id }), 409, 'in_use')
    }
    const own = await addPerson(database.sql)
    const answer = await patch(own.id, {
      kind: 'agent',
      owner_id: own.id,
      purpose: 'Answers questions',
      privilege_class: 'low',
      rotation_days: 30,
    })
    expectRefusal(answer, 422, 'invalid_request', '/owner_id')
  })

  test('finds nobody under an unknown or malformed id', async () => {
    for (const id of [crypto.randomUUID(), 'me', '%00', '1']) {
      expectRefusal(await patch(id, { display_name: 'X' }), 404, 'not_found')
    }
  })

  test('has no way to delete one', async () => {
    const answer = await api.call('DELETE', `/identities/${alice.id}`, { as: admin.id })
    expect(answer.status).toBe(404)
  })
})
