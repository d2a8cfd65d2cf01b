import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { rows } from '../../../db/client.ts'
import type { AppMapping, Identity } from '../../../domain/directory.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import { addAdmin, addApplication, eventsOf } from '../../setup/people.ts'

let database: TestDatabase
let api: TestApi
let admin: Identity

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql)
  admin = await addAdmin(database.sql)
})
afterAll(() => database.drop())

const call = <Body>(method: string, path: string, body?: unknown) =>
  api.call<Body>(method, path, { as: admin.id, body })
const create = (app: { id: string }, body: unknown) =>
  call<AppMapping>('POST', `/applications/${app.id}/mappings`, body)
const kindsOf = async (id: string) => (await eventsOf(database.sql, id)).map(({ kind }) => kind)

describe('a mapping', () => {
  test('is created, listed, replaced and deleted, each with one event', async () => {
    const app = await addApplication(database.sql)
    const created = await create(app, { name: 'read', claim: 'roles', value: 'reader' })
    expect(created.status).toBe(201)
    const { id } = created.body
    expect(created.headers.get('location')).toBe(`/api/v1/app-mappings/${id}`)
    expect(created.body).toMatchObject({ app_id: app.id, claim: 'roles', privilege_level: 'low' })
    const list = await call<{ data: AppMapping[] }>('GET', `/applications/${app.id}/mappings`)
    expect(list.body.data).toEqual([created.body])
    const input = { name: 'read', claim: 'https://example.com/roles', value: 'r', privilege_level: 'high' }
    const replaced = await call<AppMapping>('PUT', `/app-mappings/${id}`, input)
    expect(replaced.status).toBe(200)
    expect(replaced.body).toMatchObject({ ...input, app_id: app.id })
    expect((await call('GET', `/app-mappings/${id}`)).headers.get('etag')).toBe('"2"')
    expect((await call('DELETE', `/app-mappings/${id}`)).status).toBe(204)
    expect(await kindsOf(id)).toEqual(['app_mapping.created', 'app_mapping.updated', 'app_mapping.deleted'])
  })

  test('has a name that is taken in its own application only', async () => {
    const [app, other] = [await addApplication(database.sql), await addApplication(database.sql)]
    const input = { name: 'read', claim: 'roles', value: 'reader' }
    await create(app, input)
    const again = await create(app, { ...input, name: 'READ' })
    expectRefusal(again, 409, 'name_taken', '/name')
    expect((await create(other, input)).status).toBe(201)
  })

  test.each([
    'iss',
    'sub',
    'AUD',
    'exp',
    'groups',
    'Email',
    'active',
    '__proto__',
    'toString',
    'constructor',
  ])('may not set the claim %s', async (claim) => {
    const app = await addApplication(database.sql)
    const answer = await create(app, { name: 'n', claim, value: 'v' })
    expectRefusal(answer, 422, 'invalid_request', '/claim')
  })

  test.each([
    ['an empty value', { name: 'n', claim: 'roles', value: '' }, '/value'],
    ['a claim with a space', { name: 'n', claim: 'my roles', value: 'v' }, '/claim'],
    ['a claim that begins with a digit', { name: 'n', claim: '1role', value: 'v' }, '/claim'],
    [
      'an unknown level',
      { name: 'n', claim: 'roles', value: 'v', privilege_level: 'root' },
      '/privilege_level',
    ],
    [
      'another application',
      { name: 'n', claim: 'roles', value: 'v', app_id: crypto.randomUUID() },
      '/app_id',
    ],
  ])('with %s is refused', async (_, body, pointer) => {
    const app = await addApplication(database.sql)
    expectRefusal(await create(app, body), 422, 'invalid_request', pointer)
  })

  test('is refused and not listed for an application that is not there', async () => {
    const nowhere = { id: crypto.randomUUID() }
    const answer = await create(nowhere, { name: 'n', claim: 'roles', value: 'v' })
    expectRefusal(answer, 404, 'not_found')
    expectRefusal(await call('GET', `/applications/${nowhere.id}/mappings`), 404, 'not_found')
  })

  test('of an application that is deleted meanwhile goes with it, or keeps it from being made', async () => {
    for (let trial = 0; trial < 20; trial += 1) {
      const app = await addApplication(database.sql)
      const creation = create(app, { name: 'n', claim: 'roles', value: 'v' })
      const [created, deleted] = await Promise.all([creation, call('DELETE', `/applications/${app.id}`)])
      expect([201, 404]).toContain(created.status)
      expect(deleted.status).toBe(204)
      expect(await rows(database.sql`select id from app_mappings where app_id = ${app.id}`)).toEqual([])
    }
  })
})
