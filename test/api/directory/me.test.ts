import { afterAll, beforeAll, expect, test } from 'vitest'

import type { Me } from '../../../domain/directory.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import { addAdmin, addGrant, addGroup, addMember, addPerson, addTemplate } from '../../setup/people.ts'

let database: TestDatabase
let api: TestApi

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql)
})
afterAll(() => database.drop())

const get = (as: string) => api.call<Me>('GET', '/me', { as })

test('Says who calls, with every group of now and when it ends', async () => {
  const bob = await addPerson(database.sql)
  const team = await addGroup(database.sql, [bob])
  const course = await addGroup(database.sql)
  await addMember(database.sql, course, bob, '2099-01-01T00:00:00.000Z')
  const { group_id, request_id } = await addGrant(database.sql, await addTemplate(database.sql), bob)
  const { status, body } = await get(bob.id)
  expect(status).toBe(200)
  expect(body).toMatchObject({ id: bob.id, kind: 'human', email: bob.email, permissions: [] })
  expect(body.groups).toHaveLength(3)
  expect(body.groups).toEqual(
    expect.arrayContaining([
      { id: team.id, name: team.name, expires_at: null },
      { id: course.id, name: course.name, expires_at: '2099-01-01T00:00:00.000Z' },
      { id: group_id, name: `__access_req_${request_id}`, expires_at: expect.any(String) },
    ]),
  )
})

test('A group that all belong to ends for a person when the person ends', async () => {
  const bob = await addPerson(database.sql, { expires_at: '2098-01-01T00:00:00Z' })
  await addGroup(database.sql, [bob])
  const { body } = await get(bob.id)
  expect(body.groups).toMatchObject([{ expires_at: '2098-01-01T00:00:00.000Z' }])
})

test('Says what an admin may do, once', async () => {
  const admin = await addAdmin(database.sql)
  await addGroup(database.sql, [admin], { permissions: ['access_requests.manage'] })
  const { body } = await get(admin.id)
  expect(body.permissions).toEqual(['access_requests.manage'])
})

test('Is for somebody who is there, active and known by a token', async () => {
  const disabled = await addPerson(database.sql, { status: 'disabled' })
  const expired = await addPerson(database.sql, { expires_at: '2020-01-01T00:00:00Z' })
  for (const id of [disabled.id, expired.id, crypto.randomUUID(), 'nobody']) {
    expectRefusal(await get(id), 401, 'unauthenticated')
  }
  expectRefusal(await api.call('GET', '/me'), 401, 'unauthenticated')
})
