import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { getRow } from '../../../db/client.ts'
import type { Group, Identity, Membership } from '../../../domain/directory.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import { addAdmin, addGroup, addMember, addPerson, addServiceAccount, eventsOf } from '../../setup/people.ts'

/** Generous, for a machine that does much else. */
vi.setConfig({ testTimeout: 120_000 })

let database: TestDatabase
let api: TestApi
let admin: Identity
let bob: Identity

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql)
  admin = await addAdmin(database.sql)
  bob = await addPerson(database.sql)
})
afterAll(() => database.drop())

const end = '2099-01-01T00:00:00.000Z'
const put = (group: Group, member: { id: string }, body?: unknown, headers = {}) =>
  api.call('PUT', `/groups/${group.id}/members/${member.id}`, { as: admin.id, body, headers })
const remove = (group: Group, member: { id: string }, headers = {}) =>
  api.call('DELETE', `/groups/${group.id}/members/${member.id}`, { as: admin.id, headers })
const membersOf = async (group: Group) =>
  (await api.call<{ data: Membership[] }>('GET', `/groups/${group.id}/members`, { as: bob.id })).body.data
const eventKinds = async (group: Group) =>
  (await eventsOf(database.sql, group.id)).map(({ kind }) => kind).slice(1)

/** As if the end had come a minute ago. */
const endMembership = (group: Group, member: { id: string }) =>
  database.sql`update memberships set expires_at = now() - interval '1 minute', joined_at = now() - interval '1 hour'
    where group_id = ${group.id} and identity_id = ${member.id}`

test('An identity joins, gets an end, loses it, and leaves, with one event each', async () => {
  const group = await addGroup(database.sql)
  expect((await put(group, bob)).status).toBe(204)
  const [joined] = await membersOf(group)
  expect(joined).toMatchObject({ identity_id: bob.id, email: bob.email, kind: 'human', expires_at: null })
  expect((await put(group, bob, { expires_at: end })).status).toBe(204)
  expect(await membersOf(group)).toEqual([{ ...joined, expires_at: end }])
  expect((await put(group, bob, { expires_at: null })).status).toBe(204)
  expect(await membersOf(group)).toEqual([joined])
  expect((await remove(group, bob)).status).toBe(204)
  expect(await membersOf(group)).toEqual([])
  expect(await eventKinds(group)).toEqual([
    'membership.added',
    'membership.updated',
    'membership.updated',
    'membership.removed',
  ])
})

test('The same membership again changes nothing and is not audited', async () => {
  const group = await addGroup(database.sql)
  await put(group, bob, { expires_at: end })
  expect((await put(group, bob, { expires_at: '2099-01-01T01:00:00+01:00' })).status).toBe(204)
  expect(await eventKinds(group)).toEqual(['membership.added'])
})

test('A machine can be a member', async () => {
  const machine = await addServiceAccount(database.sql, bob.id)
  const group = await addGroup(database.sql)
  expect((await put(group, machine)).status).toBe(204)
  expect(await membersOf(group)).toMatchObject([{ identity_id: machine.id, kind: 'service_account' }])
})

test('A membership that has ended is not there: not to see, not to remove, and joining again is joining', async () => {
  const group = await addGroup(database.sql, [bob])
  await endMembership(group, bob)
  expect(await membersOf(group)).toEqual([])
  expectRefusal(await remove(group, bob), 404, 'not_found')
  const before = Date.now() - 1_000
  expect((await put(group, bob)).status).toBe(204)
  const [again] = await membersOf(group)
  expect(Date.parse(again?.joined_at ?? '')).toBeGreaterThan(before)
  expect(await eventKinds(group)).toEqual(['membership.added', 'membership.added'])
})

test.each([
  ['an end in the past', { expires_at: '2020-01-01T00:00:00Z' }, '/expires_at'],
  ['an end without a zone', { expires_at: '2099-01-01T00:00:00' }, '/expires_at'],
  ['an end that a database cannot hold', { expires_at: '9999-12-31T23:59:59-10:00' }, '/expires_at'],
  ['a number of seconds', { expires_at: 4_000_000_000 }, '/expires_at'],
  ['a date of joining', { joined_at: end }, '/joined_at'],
  ['a list', [], ''],
])('A membership with %s is refused', async (_, body, pointer) => {
  const group = await addGroup(database.sql)
  expectRefusal(await put(group, bob, body), 422, 'invalid_request', pointer)
  expect(await membersOf(group)).toEqual([])
})

test('Nobody joins a group that is not there, and nobody joins who is not there', async () => {
  const group = await addGroup(database.sql)
  const nobody = { id: crypto.randomUUID() }
  expectRefusal(await put({ ...group, ...nobody } as Group, bob), 404, 'not_found')
  expectRefusal(await put(group, nobody), 404, 'not_found')
  expectRefusal(await put(group, { id: 'bob' }), 404, 'not_found')
  expectRefusal(await remove(group, bob), 404, 'not_found')
})

test('If-Match: * asks for a membership that is there; a version matches none', async () => {
  const group = await addGroup(database.sql)
  expectRefusal(await put(group, bob, undefined, { 'if-match': '*' }), 412, 'precondition_failed')
  expect((await put(group, bob)).status).toBe(204)
  expectRefusal(await put(group, bob, { expires_at: end }, { 'if-match': '"1"' }), 412, 'precondition_failed')
  expectRefusal(await remove(group, bob, { 'if-match': '"1"' }), 412, 'precondition_failed')
  expect((await put(group, bob, { expires_at: end }, { 'if-match': '*' })).status).toBe(204)
  expect((await remove(group, bob, { 'if-match': '*' })).status).toBe(204)
})

test('Twenty who add one member at once make one membership and one event', async () => {
  const group = await addGroup(database.sql)
  const answers = await Promise.all(Array.from({ length: 20 }, () => put(group, bob)))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]))
  expect(await eventKinds(group)).toEqual(['membership.added'])
})

test('Adding a member against deleting its group: a member of nothing never remains', async () => {
  for (let trial = 0; trial < 20; trial += 1) {
    const group = await addGroup(database.sql)
    const removal = api.call('DELETE', `/groups/${group.id}`, { as: admin.id })
    const [added, removed] = await Promise.all([put(group, bob), removal])
    expect([204, 404]).toContain(added.status)
    expect(removed.status).toBe(204)
    const left = await getRow<{ count: number }>(
      database.sql`select count(*)::int as count from memberships where group_id = ${group.id}`,
    )
    expect(left.count).toBe(0)
  }
})

test('What a person holds follows the membership at once', async () => {
  const group = await addGroup(database.sql, [], { permissions: ['access_requests.manage'] })
  const carol = await addPerson(database.sql)
  const create = () => api.call('POST', '/groups', { as: carol.id, body: { name: crypto.randomUUID() } })
  expectRefusal(await create(), 403, 'forbidden')
  await addMember(database.sql, group, carol)
  expect((await create()).status).toBe(201)
  await remove(group, carol)
  expectRefusal(await create(), 403, 'forbidden')
})
