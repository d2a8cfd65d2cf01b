import { afterAll, beforeAll, expect, test } from 'vitest'

import { nobody } from '../../../db/audit.ts'
import { transaction } from '../../../db/client.ts'
import { queueCommand } from '../../../db/requests/commands.ts'
import type { AppMapping, Group, Identity, Membership } from '../../../domain/directory.ts'
import type { Template } from '../../../domain/template.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import {
  addAdmin,
  addApplication,
  addGrant,
  addMapping,
  addPerson,
  addServiceAccount,
  addTemplate,
  decide,
  eventsOf,
} from '../../setup/people.ts'

let database: TestDatabase
let api: TestApi
let admin: Identity
let bob: Identity
let mapping: AppMapping
let template: Template

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql)
  admin = await addAdmin(database.sql)
  bob = await addPerson(database.sql)
  const app = await addApplication(database.sql)
  mapping = await addMapping(database.sql, app)
  template = await addTemplate(database.sql, { app_id: app.id, mapping_ids: [mapping.id] })
})
afterAll(() => database.drop())

const get = <Body = Group>(as: Identity, path: string) => api.call<Body>('GET', path, { as: as.id })
const listed = async (as: Identity) =>
  (await get<{ data: Group[] }>(as, '/groups?limit=200')).body.data.map(({ id }) => id)
const members = async (as: Identity, group_id: string) =>
  (await get<{ data: Membership[] }>(as, `/groups/${group_id}/members`)).body.data

/** As if the grant had run out a minute ago and nobody had noticed. */
async function runOut(group_id: string): Promise<void> {
  await database.sql`update groups set expires_at = now() - interval '1 minute' where id = ${group_id}`
  await database.sql`update grants set starts_at = now() - interval '1 hour',
    expires_at = now() - interval '1 minute' where group_id = ${group_id}`
}

test('An approved request shows as a group with its kind, its end, its mappings and its one member', async () => {
  const { request_id, group_id } = await addGrant(database.sql, template, bob)
  const { body: group } = await get(admin, `/groups/${group_id}`)
  expect(group).toMatchObject({
    name: `__access_req_${request_id}`,
    kind: 'temporary',
    mapping_ids: [mapping.id],
  })
  expect(await members(admin, group_id)).toMatchObject([
    { identity_id: bob.id, expires_at: group.expires_at },
  ])
  expect(await listed(admin)).toContain(group_id)
  await decide(database.sql, request_id, { event: 'revoked', actor: nobody, comment: null })
  expectRefusal(await get(admin, `/groups/${group_id}`), 404, 'not_found')
})

test('Nobody changes it, joins it, leaves it, gives it mappings or deletes it', async () => {
  const { group_id } = await addGrant(database.sql, template, await addPerson(database.sql))
  const path = `/groups/${group_id}`
  const attempts: [string, string, unknown?][] = [
    ['PUT', path, { name: 'mine now' }],
    ['DELETE', path],
    ['PUT', `${path}/members/${bob.id}`],
    ['DELETE', `${path}/members/${bob.id}`],
    ['PUT', `${path}/mappings/${mapping.id}`],
    ['DELETE', `${path}/mappings/${mapping.id}`],
  ]
  for (const [method, at, body] of attempts) {
    expectRefusal(await api.call(method, at, { as: admin.id, body }), 409, 'temporary_group')
  }
  expect(await members(admin, group_id)).toHaveLength(1)
  expect(await eventsOf(database.sql, group_id)).toEqual([])
})

test('Once its time is over it is not there, though nobody has removed it yet', async () => {
  const { group_id } = await addGrant(database.sql, template, await addPerson(database.sql))
  await runOut(group_id)
  const path = `/groups/${group_id}`
  expectRefusal(await get(admin, path), 404, 'not_found')
  expectRefusal(await get(admin, `${path}/members`), 404, 'not_found')
  expectRefusal(await api.call('DELETE', path, { as: admin.id }), 404, 'not_found')
  const joining = await api.call('PUT', `${path}/members/${bob.id}`, { as: admin.id })
  expectRefusal(joining, 404, 'not_found')
  expect(await listed(admin)).not.toContain(group_id)
})

test('It is shown to who manages, who holds it and who owns the holder, and to nobody else', async () => {
  const [owner, other] = [await addPerson(database.sql), await addPerson(database.sql)]
  const machine = await addServiceAccount(database.sql, owner.id)
  const { group_id } = await addGrant(database.sql, template, owner, { subject_id: machine.id })
  for (const viewer of [admin, owner, machine]) {
    expect((await get(viewer, `/groups/${group_id}`)).status).toBe(200)
    expect(await listed(viewer)).toContain(group_id)
    expect(await members(viewer, group_id)).toHaveLength(1)
  }
  expectRefusal(await get(other, `/groups/${group_id}`), 404, 'not_found')
  expectRefusal(await get(other, `/groups/${group_id}/members`), 404, 'not_found')
  expect(await listed(other)).not.toContain(group_id)
})

test('It has no member from the moment when its revocation was accepted', async () => {
  const { request_id, group_id } = await addGrant(database.sql, template, await addPerson(database.sql))
  await transaction(database.sql, (tx) => queueCommand(tx, { kind: 'revoke', request_id, actor: admin }))
  expect(await members(admin, group_id)).toEqual([])
})

test('It cannot own an application', async () => {
  const { group_id } = await addGrant(database.sql, template, await addPerson(database.sql))
  const body = { name: 'Owned', slug: 'owned', owner_group_id: group_id }
  const answer = await api.call('POST', '/applications', { as: admin.id, body })
  expectRefusal(answer, 422, 'invalid_request', '/owner_group_id')
})
