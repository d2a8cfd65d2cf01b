import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { getRow } from '../../../db/client.ts'
import type { Group, Identity } from '../../../domain/directory.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import {
  addAdmin,
  addApplication,
  addGroup,
  addGroupMapping,
  addMapping,
  addPerson,
  eventsOf,
  fresh,
} from '../../setup/people.ts'

let database: TestDatabase
let api: TestApi
let admin: Identity

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql)
  admin = await addAdmin(database.sql)
})
afterAll(() => database.drop())

const call = <Body = Group>(method: string, path: string, body?: unknown) =>
  api.call<Body>(method, path, { as: admin.id, body })
const link = (group: { id: string }, mapping: { id: string }) => `/groups/${group.id}/mappings/${mapping.id}`
const kindsOf = async (id: string) => (await eventsOf(database.sql, id)).map(({ kind }) => kind)

test('A group is created, read, replaced and deleted, each with one event', async () => {
  const name = fresh('team')
  const created = await call('POST', '/groups', { name, permissions: ['access_requests.manage'] })
  expect(created.status).toBe(201)
  const { id } = created.body
  expect(created.headers.get('location')).toBe(`/api/v1/groups/${id}`)
  expect(created.body).toMatchObject({
    name,
    description: '',
    kind: 'standing',
    mapping_ids: [],
    expires_at: null,
  })
  const read = await call('GET', `/groups/${id}`)
  expect(read.body).toEqual(created.body)
  expect(read.headers.get('etag')).toBe(created.headers.get('etag'))
  const replaced = await call('PUT', `/groups/${id}`, { name, description: 'The team.' })
  expect(replaced.status).toBe(200)
  expect(replaced.headers.get('etag')).toBe('"2"')
  expect(replaced.body).toMatchObject({ name, description: 'The team.', permissions: [] })
  const deleted = await call('DELETE', `/groups/${id}`)
  expect([deleted.status, deleted.body]).toEqual([204, null])
  expectRefusal(await call('GET', `/groups/${id}`), 404, 'not_found')
  expect(await kindsOf(id)).toEqual(['group.created', 'group.updated', 'group.deleted'])
})

test('Replacing a group by itself changes neither version nor audit log', async () => {
  const group = await addGroup(database.sql)
  const { name, description, permissions } = group
  const answer = await call('PUT', `/groups/${group.id}`, { name, description, permissions })
  expect(answer.headers.get('etag')).toBe('"1"')
  expect(answer.body).toEqual(group)
  expect(await kindsOf(group.id)).toEqual(['group.created'])
})

test('The event of an edit holds what changed, before and after, and who did it', async () => {
  const group = await addGroup(database.sql)
  await call('PUT', `/groups/${group.id}`, { name: `${group.name}-2` })
  const [, event] = await eventsOf(database.sql, group.id)
  expect(event).toEqual({
    kind: 'group.updated',
    actor_id: admin.id,
    detail: { before: { name: group.name }, after: { name: `${group.name}-2` } },
  })
})

test('A name is taken in whatever case, by creating and by renaming', async () => {
  const group = await addGroup(database.sql)
  const other = await addGroup(database.sql)
  const name = group.name.toUpperCase()
  expectRefusal(await call('POST', '/groups', { name }), 409, 'name_taken', '/name')
  expectRefusal(await call('PUT', `/groups/${other.id}`, { name }), 409, 'name_taken', '/name')
  expect((await call('PUT', `/groups/${group.id}`, { name })).status).toBe(200)
})

test.each([
  ['a reserved name', { name: '__access_req_0190' }, '/name'],
  ['a reserved name in other letters', { name: ' __ACCESS_REQ_x' }, '/name'],
  ['a blank name', { name: ' \t ' }, '/name'],
  ['two lines', { name: 'a\nb' }, '/name'],
  ['201 characters', { name: 'x'.repeat(201) }, '/name'],
  ['a name that is a number', { name: 7 }, '/name'],
  ['an unknown permission', { name: 'n', permissions: ['root'] }, '/permissions/0'],
  [
    'a permission named twice',
    { name: 'n', permissions: Array(2).fill('access_requests.manage') },
    '/permissions',
  ],
  ['mappings in the body', { name: 'n', mapping_ids: [] }, '/mapping_ids'],
  ['a kind', { name: 'n', kind: 'temporary' }, '/kind'],
  ['an end', { name: 'n', expires_at: '2099-01-01T00:00:00Z' }, '/expires_at'],
])('A group with %s is refused', async (_, body, pointer) => {
  expectRefusal(await call('POST', '/groups', body), 422, 'invalid_request', pointer)
})

describe('a standing entitlement of a group', () => {
  test('is added once, shows in the group, and is removed', async () => {
    const group = await addGroup(database.sql)
    const mapping = await addMapping(database.sql, await addApplication(database.sql))
    expect((await call('PUT', link(group, mapping))).status).toBe(204)
    expect((await call('PUT', link(group, mapping), {})).status).toBe(204)
    const read = await call('GET', `/groups/${group.id}`)
    expect(read.body.mapping_ids).toEqual([mapping.id])
    expect(read.headers.get('etag')).toBe('"2"')
    expect((await call('DELETE', link(group, mapping))).status).toBe(204)
    expectRefusal(await call('DELETE', link(group, mapping)), 404, 'not_found')
    expect((await call('GET', `/groups/${group.id}`)).body.mapping_ids).toEqual([])
    const events = await eventsOf(database.sql, group.id)
    expect(events.map(({ kind }) => kind)).toEqual([
      'group.created',
      'group_mapping.added',
      'group_mapping.removed',
    ])
    expect(events[1]?.detail).toMatchObject({ mapping_id: mapping.id, claim: 'roles', value: 'reader' })
  })

  test('is refused for a group or a mapping that is not there, and with a body that says something', async () => {
    const group = await addGroup(database.sql)
    const mapping = await addMapping(database.sql, await addApplication(database.sql))
    const nobody = { id: crypto.randomUUID() }
    expectRefusal(await call('PUT', link(nobody, mapping)), 404, 'not_found')
    expectRefusal(await call('PUT', link(group, nobody)), 404, 'not_found')
    expectRefusal(await call('DELETE', link(group, mapping)), 404, 'not_found')
    const answer = await call('PUT', link(group, mapping), { expires_at: null })
    expectRefusal(answer, 422, 'invalid_request', '/expires_at')
  })
})

test('Memberships and standing entitlements go with a deleted group', async () => {
  const person = await addPerson(database.sql)
  const group = await addGroup(database.sql, [person])
  await addGroupMapping(
    database.sql,
    group,
    await addMapping(database.sql, await addApplication(database.sql)),
  )
  expect((await call('DELETE', `/groups/${group.id}`)).status).toBe(204)
  const left = await getRow<{ count: number }>(database.sql`
    select (select count(*) from memberships where group_id = ${group.id})::int
      + (select count(*) from group_mappings where group_id = ${group.id})::int as count`)
  expect(left.count).toBe(0)
  expect((await call<{ groups: object[] }>('GET', '/me')).body.groups).toHaveLength(1)
})
