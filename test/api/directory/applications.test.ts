import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { Application, Identity } from '../../../domain/directory.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import { addAdmin, addApplication, addGroup, addMapping, eventsOf, fresh } from '../../setup/people.ts'

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
const kindsOf = async (id: string) => (await eventsOf(database.sql, id)).map(({ kind }) => kind)

describe('an application', () => {
  test('is created, read, replaced and deleted, each with one event', async () => {
    const group = await addGroup(database.sql)
    const input = { name: fresh('Payroll'), slug: fresh('payroll'), owner_group_id: group.id }
    const created = await call<Application>('POST', '/applications', input)
    expect(created.status).toBe(201)
    const { id } = created.body
    expect(created.headers.get('location')).toBe(`/api/v1/applications/${id}`)
    expect(created.body).toMatchObject({ ...input, description: '' })
    const replaced = await call<Application>('PUT', `/applications/${id}`, { ...input, description: 'Pays.' })
    expect(replaced.status).toBe(200)
    expect(replaced.headers.get('etag')).toBe('"2"')
    const read = await call<Application>('GET', `/applications/${id}`)
    expect(read.body).toEqual(replaced.body)
    expect(read.headers.get('etag')).toBe('"2"')
    expect((await call('PUT', `/applications/${id}`, { ...input, description: 'Pays.' })).body).toEqual(
      read.body,
    )
    expect((await call('DELETE', `/applications/${id}`)).status).toBe(204)
    expectRefusal(await call('GET', `/applications/${id}`), 404, 'not_found')
    expect(await kindsOf(id)).toEqual(['application.created', 'application.updated', 'application.deleted'])
  })

  test('is refused under a name or a slug that is taken', async () => {
    const app = await addApplication(database.sql)
    const other = await addApplication(database.sql)
    const taken = { name: app.name.toUpperCase(), slug: fresh('a') }
    expectRefusal(await call('POST', '/applications', taken), 409, 'name_taken', '/name')
    const slug = { name: fresh('b'), slug: app.slug }
    expectRefusal(await call('POST', '/applications', slug), 409, 'name_taken', '/slug')
    expectRefusal(await call('PUT', `/applications/${other.id}`, slug), 409, 'name_taken', '/slug')
  })

  test.each([
    ['no slug', { name: 'n' }, '/slug'],
    ['capitals in its slug', { name: 'n', slug: 'Payroll' }, '/slug'],
    ['a slug that ends in a hyphen', { name: 'n', slug: 'pay-' }, '/slug'],
    ['a slug that is an address', { name: 'n', slug: 'https://pay' }, '/slug'],
    [
      'an owner group that is not there',
      { name: 'n', slug: 'n', owner_group_id: crypto.randomUUID() },
      '/owner_group_id',
    ],
    ['an owner group that is no id', { name: 'n', slug: 'n', owner_group_id: 'admins' }, '/owner_group_id'],
    ['an unknown field', { name: 'n', slug: 'n', version: 7 }, '/version'],
  ])('with %s is refused', async (_, body, pointer) => {
    expectRefusal(await call('POST', '/applications', body), 422, 'invalid_request', pointer)
  })

  test('is deleted with its mappings, of which the audit log keeps all', async () => {
    const app = await addApplication(database.sql)
    const mapping = await addMapping(database.sql, app)
    expect((await call('DELETE', `/applications/${app.id}`)).status).toBe(204)
    expectRefusal(await call('GET', `/app-mappings/${mapping.id}`), 404, 'not_found')
    const events = await eventsOf(database.sql, app.id)
    const { id, name, claim, value } = mapping
    expect(events.at(-1)?.detail).toMatchObject({ name: app.name, mappings: [{ id, name, claim, value }] })
  })
})
