import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { rows } from '../../../db/client.ts'
import type { Group, Identity, Permission } from '../../../domain/directory.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import {
  addApplication,
  addGroup,
  addGroupMapping,
  addMapping,
  addMember,
  addPerson,
  addServiceAccount,
  eventsOf,
  fresh,
} from '../../setup/people.ts'

vi.setConfig({ testTimeout: 60_000 })

let database: TestDatabase
let api: TestApi
let admin: Identity
let admins: Group
const later = '2099-01-01T00:00:00.000Z'

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql)
  admin = await addPerson(database.sql)
  admins = await addGroup(database.sql, [admin], { permissions: ['access_requests.manage'] })
})
afterAll(() => database.drop())

const call = (as: Identity, method: string, path: string, body?: object) =>
  api.call<{ id: string; detail: string }>(method, path, { as: as.id, body })
const member = (group: { id: string }, who: { id: string }) => `/groups/${group.id}/members/${who.id}`

async function addHolder(...permissions: Permission[]): Promise<Identity> {
  const person = await addPerson(database.sql)
  await addGroup(database.sql, [person], { permissions })
  return person
}

/** An admin until later, by the end of a membership or of the identity itself. */
async function addPassing(by: 'membership' | 'identity'): Promise<Identity> {
  const person = await addPerson(database.sql, by === 'identity' ? { expires_at: later } : {})
  await addMember(database.sql, admins, person, by === 'membership' ? later : null)
  return person
}

describe.each(['membership', 'identity'] as const)('An admin by a %s that ends', (by) => {
  test('does what admins do', async () => {
    const eve = await addPassing(by)
    expect((await call(eve, 'POST', '/groups', { name: fresh('g') })).status).toBe(201)
    expect((await call(eve, 'GET', '/access-requests/all')).status).toBe(200)
    const gone = await addPerson(database.sql)
    expect((await call(eve, 'PATCH', `/identities/${gone.id}`, { status: 'disabled' })).status).toBe(200)
  })

  test('makes nobody an admin, least of all themselves for good', async () => {
    const [eve, friend] = [await addPassing(by), await addPerson(database.sql)]
    const mine = await addGroup(database.sql, [eve])
    const name = fresh('g')
    const permissions = ['access_requests.manage']
    const answers = [
      call(eve, 'PUT', member(admins, friend)),
      call(eve, 'PUT', member(admins, friend), { expires_at: later }),
      call(eve, 'PUT', `/groups/${mine.id}`, { name, permissions }),
      call(eve, 'POST', '/groups', { name, permissions: ['audit.read'] }),
    ]
    for (const answer of answers) expectRefusal(await answer, 403, 'forbidden')
    const { id } = eve
    const end = by === 'membership' ? member(admins, eve) : `/identities/${id}`
    const longer = (expires_at: string | null) =>
      call(eve, by === 'membership' ? 'PUT' : 'PATCH', end, { expires_at })
    for (const expires_at of [null, '2100-01-01T00:00:00.000Z'])
      expectRefusal(await longer(expires_at), 403, 'forbidden')
  })

  test('lets in nothing that goes on after them: no provider, no SCIM token, no machine of an admin', async () => {
    const eve = await addPassing(by)
    const robot = await addServiceAccount(database.sql, admin.id)
    await addMember(database.sql, admins, robot)
    const provider = { name: fresh('p'), issuer: 'https://login.example.com', client_id: 'x' }
    const answers = [
      call(eve, 'POST', '/sign-in-providers', provider),
      call(eve, 'POST', '/scim-tokens', { name: fresh('t') }),
      call(eve, 'POST', '/scim-tokens', { name: fresh('t'), may_manage_privileged_groups: true }),
      call(eve, 'PUT', `/scim-groups/${admins.id}`),
      call(eve, 'PATCH', `/identities/${robot.id}`, { owner_id: eve.id }),
      call(eve, 'POST', `/identities/${robot.id}/credentials`, { type: 'client_secret' }),
    ]
    for (const answer of answers) expectRefusal(await answer, 403, 'forbidden')
    expect((await call(admin, 'POST', '/scim-tokens', { name: fresh('t') })).status).toBe(201)
    expect((await call(admin, 'PUT', `/scim-groups/${admins.id}`)).status).toBe(204)
  })

  test('links no entitlement and offers none', async () => {
    const eve = await addPassing(by)
    const app = await addApplication(database.sql)
    const mapping = await addMapping(database.sql, app)
    const group = await addGroup(database.sql)
    const offer = { name: fresh('t'), app_id: app.id, mapping_ids: [mapping.id], auto_approve: true }
    const path = `/groups/${group.id}/mappings/${mapping.id}`
    for (const [method, to, body] of [
      ['PUT', path, undefined],
      ['POST', '/access-request-templates', offer],
      ['PUT', `/app-mappings/${mapping.id}`, { name: fresh('m'), claim: 'roles', value: 'other' }],
    ] as const)
      expectRefusal(await call(eve, method, to, body), 403, 'forbidden')
    expect((await call(admin, 'PUT', path)).status).toBe(204)
  })
})

test('Who owns an application for a time hands on neither its entitlements nor the ownership', async () => {
  const { sql } = database
  const eve = await addHolder('directory.manage', 'applications.manage')
  const owners = await addGroup(sql)
  const app = await addApplication(sql, { owner_group_id: owners.id })
  const mapping = await addMapping(sql, app)
  const [mine, carrying] = [await addGroup(sql, [eve]), await addGroup(sql)]
  await addGroupMapping(sql, carrying, mapping)
  await addMember(sql, owners, eve, later)
  const answers = [
    call(eve, 'PUT', member(owners, eve), { expires_at: null }),
    call(eve, 'PUT', member(carrying, eve)),
    call(eve, 'PUT', `/groups/${mine.id}/mappings/${mapping.id}`),
    call(eve, 'PUT', `/applications/${app.id}`, { name: app.name, slug: app.slug, owner_group_id: mine.id }),
  ]
  for (const answer of answers) expectRefusal(await answer, 403, 'forbidden')
  await addMember(sql, owners, eve, null)
  expect((await call(eve, 'PUT', `/groups/${mine.id}/mappings/${mapping.id}`)).status).toBe(204)
})

test('Nobody moves their own end away; an earlier one, and another address, are theirs to give', async () => {
  const eve = await addPerson(database.sql, { expires_at: later })
  await addGroup(database.sql, [eve], { permissions: ['directory.manage'] })
  const patch = (body: object) => call(eve, 'PATCH', `/identities/${eve.id}`, body)
  for (const expires_at of [null, '2100-01-01T00:00:00.000Z'])
    expectRefusal(await patch({ expires_at }), 403, 'forbidden')
  expect((await patch({ email: `${fresh('eve')}@example.com` })).status).toBe(200)
  expect((await patch({ expires_at: '2098-01-01T00:00:00.000Z' })).status).toBe(200)
})

test('What a claim gives is made lasting only by who may give it, and that is written down', async () => {
  const { sql } = database
  const [eve, friend] = [await addHolder('directory.manage'), await addPerson(sql)]
  await addMember(sql, admins, friend)
  const provider_id = crypto.randomUUID()
  await sql`insert into sign_in_providers ${sql({
    id: provider_id,
    name: fresh('p'),
    issuer: 'https://login.example.com',
    client_id: 'x',
    scopes: ['openid'],
    create_identities: false,
    allowed_email_domains: [],
    enabled: true,
  })}`
  const place = { provider_id, group_id: admins.id, identity_id: friend.id }
  await sql`insert into sign_in_memberships ${sql(place)}`
  const given = () => rows(sql`select 1 from sign_in_memberships where provider_id = ${provider_id}`)
  const eventsBefore = (await eventsOf(sql, admins.id)).length
  expectRefusal(await call(eve, 'PUT', member(admins, friend)), 403, 'forbidden')
  expect(await given()).toHaveLength(1)
  for (const _ of [1, 2]) expect((await call(admin, 'PUT', member(admins, friend))).status).toBe(204)
  expect(await given()).toEqual([])
  const events = await eventsOf(sql, admins.id)
  expect(events.slice(eventsBefore)).toMatchObject([{ kind: 'membership.updated', actor_id: admin.id }])
})
