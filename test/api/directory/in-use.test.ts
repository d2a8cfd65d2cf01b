import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { nobody } from '../../../db/audit.ts'
import { findRow, getRow } from '../../../db/client.ts'
import type { Identity } from '../../../domain/directory.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import {
  addAdmin,
  addApplication,
  addGrant,
  addGroup,
  addGroupMapping,
  addMapping,
  addPerson,
  addRequest,
  addTemplate,
  decide,
  fresh,
} from '../../setup/people.ts'

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

const call = (method: string, path: string, body?: unknown) => api.call(method, path, { as: admin.id, body })
const remove = (kind: 'groups' | 'applications' | 'app-mappings', { id }: { id: string }) =>
  call('DELETE', `/${kind}/${id}`)

/** The template stops naming what it named; what was submitted under it does not. */
const emptyTemplate = ({ id }: { id: string }) =>
  database.sql`update templates set mapping_ids = '{}', approver_group_ids = '{}', allowed_group_ids = '{}',
    escalation_after_mins = null, escalation_group_id = null where id = ${id}`

const end = (request_id: string) =>
  decide(database.sql, request_id, { event: 'revoked', actor: nobody, comment: null })

const roles = [
  ['approvers', (id: string) => ({ approver_group_ids: [id] })],
  ['those who may ask', (id: string) => ({ allowed_group_ids: [id] })],
  ['the escalation group', (id: string) => ({ escalation_after_mins: 5, escalation_group_id: id })],
] as const

describe.each(roles)('A group that holds %s of a template', (_, fieldsFor) => {
  test('is in use by the template, then by its open request, and then free', async () => {
    const group = await addGroup(database.sql, [bob])
    const template = await addTemplate(database.sql, fieldsFor(group.id))
    const answer = await remove('groups', group)
    expectRefusal(answer, 409, 'in_use')
    expect(answer.body['detail']).toContain(template.name)
    const request_id = await addRequest(database.sql, template, bob)
    await emptyTemplate(template)
    expectRefusal(await remove('groups', group), 409, 'in_use')
    await decide(database.sql, request_id, {
      event: 'approved',
      actor: nobody,
      source: 'auto',
      comment: null,
    })
    expectRefusal(await remove('groups', group), 409, 'in_use')
    await end(request_id)
    expect((await remove('groups', group)).status).toBe(204)
  })
})

test('A group that owns an application is in use, until the application has another owner', async () => {
  const group = await addGroup(database.sql)
  const { id, name, slug } = await addApplication(database.sql, { owner_group_id: group.id })
  expectRefusal(await remove('groups', group), 409, 'in_use')
  expect((await call('PUT', `/applications/${id}`, { name, slug })).status).toBe(200)
  expect((await remove('groups', group)).status).toBe(204)
})

test('A mapping is in use by a template, an open request, a grant and a standing group', async () => {
  const app = await addApplication(database.sql)
  const mapping = await addMapping(database.sql, app)
  const template = await addTemplate(database.sql, { app_id: app.id, mapping_ids: [mapping.id] })
  expectRefusal(await remove('app-mappings', mapping), 409, 'in_use')
  const { request_id } = await addGrant(database.sql, template, bob)
  await emptyTemplate(template)
  expectRefusal(await remove('app-mappings', mapping), 409, 'in_use')
  await end(request_id)
  const group = await addGroup(database.sql)
  await addGroupMapping(database.sql, group, mapping)
  expectRefusal(await remove('app-mappings', mapping), 409, 'in_use')
  await remove('groups', group)
  expect((await remove('app-mappings', mapping)).status).toBe(204)
})

test('An application is in use by a template, an open request and a group that carries one of its mappings', async () => {
  const app = await addApplication(database.sql)
  const template = await addTemplate(database.sql, { app_id: app.id })
  expectRefusal(await remove('applications', app), 409, 'in_use')
  const request_id = await addRequest(database.sql, template, bob)
  await database.sql`delete from templates where id = ${template.id}`
  expectRefusal(await remove('applications', app), 409, 'in_use')
  await end(request_id)
  const [group, mapping] = [await addGroup(database.sql), await addMapping(database.sql, app)]
  await addGroupMapping(database.sql, group, mapping)
  expectRefusal(await remove('applications', app), 409, 'in_use')
  await remove('groups', group)
  expect((await remove('applications', app)).status).toBe(204)
})

test('What an open request names keeps its claim and value; its name and level may change', async () => {
  const app = await addApplication(database.sql)
  const { id, name, claim, value } = await addMapping(database.sql, app)
  const template = await addTemplate(database.sql, { app_id: app.id, mapping_ids: [id] })
  const { request_id } = await addGrant(database.sql, template, bob)
  for (const change of [{ claim: 'rights' }, { value: 'writer' }]) {
    const answer = await call('PUT', `/app-mappings/${id}`, { name, claim, value, ...change })
    expectRefusal(answer, 409, 'in_use')
  }
  const renamed = { name: fresh('renamed'), claim, value, privilege_level: 'critical' }
  expect((await call('PUT', `/app-mappings/${id}`, renamed)).status).toBe(200)
  await end(request_id)
  expect((await call('PUT', `/app-mappings/${id}`, { ...renamed, value: 'writer' })).status).toBe(200)
})

test('Changing a value against submitting: what a request records is what its mapping says', async () => {
  const app = await addApplication(database.sql)
  for (let trial = 0; trial < 40; trial += 1) {
    const { id, name, claim } = await addMapping(database.sql, app)
    const template = await addTemplate(database.sql, { app_id: app.id, mapping_ids: [id] })
    const [answer, request_id] = await Promise.all([
      call('PUT', `/app-mappings/${id}`, { name, claim, value: 'writer' }),
      addRequest(database.sql, template, bob),
    ])
    expect([200, 409]).toContain(answer.status)
    const told = await getRow<{ recorded: string; value: string }>(database.sql`
      select r.mappings -> 0 ->> 'value' as recorded, m.value from access_requests r, app_mappings m
      where r.id = ${request_id} and m.id = ${id}`)
    expect(told.recorded).toBe(told.value)
  }
})

test('Deleting a group or a mapping against saving a template that names it: one of the two is refused', async () => {
  for (let trial = 0; trial < 40; trial += 1) {
    const app = await addApplication(database.sql)
    const [group, mapping] = [await addGroup(database.sql), await addMapping(database.sql, app)]
    const input = { app_id: app.id, mapping_ids: [mapping.id], approver_group_ids: [group.id] }
    const [saved, first, second] = await Promise.all([
      call('POST', '/access-request-templates', { name: fresh('template'), ...input }),
      remove('groups', group),
      remove('app-mappings', mapping),
    ])
    const statuses = [saved.status, first.status, second.status].join(' ')
    expect(['201 409 409', '422 204 204', '422 204 409', '422 409 204']).toContain(statuses)
    const dangling = await findRow(database.sql`
      select name from templates where ${group.id} = any (approver_group_ids)
        and not exists (select from groups where id = ${group.id})`)
    expect(dangling).toBeUndefined()
  }
})
