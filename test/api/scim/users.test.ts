import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { getRow, rows } from '../../../db/client.ts'
import { findIdentity } from '../../../db/directory/identities.ts'
import {
  addGrant,
  addGroup,
  addMember,
  addPerson,
  addRequest,
  addServiceAccount,
  addTemplate,
  eventsOf,
  fresh,
} from '../../setup/people.ts'
import { startTestProduct } from '../../setup/product.ts'
import type { TestProduct } from '../../setup/product.ts'
import { addProvider, operations } from './provider.ts'
import type { Provider, ScimAnswer, ScimBody } from './provider.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

let product: TestProduct
let provider: Provider

beforeAll(async () => {
  product = await startTestProduct({ without_worker: true })
  provider = await addProvider(product)
})
afterAll(() => product.close())

const user = (id: string) => `/Users/${id}`
const patch = (id: string, ...ops: object[]) => provider.call('PATCH', user(id), operations(...ops))

function expectScimError({ status, headers, body }: ScimAnswer, expected: number, scimType?: string) {
  expect(body).toMatchObject({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: String(expected),
    ...(scimType !== undefined && { scimType }),
  })
  expect(status).toBe(expected)
  expect(headers.get('content-type')).toBe('application/scim+json')
}

/** As Entra ID sends it, its enterprise extension included. */
const entraUser = (userName: string) => ({
  schemas: [
    'urn:ietf:params:scim:schemas:core:2.0:User',
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
  ],
  externalId: '0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef',
  userName,
  active: true,
  displayName: 'Lennay Kiehn',
  addresses: [{ primary: false, type: 'work', country: 'Bulgaria', formatted: '18522 Lisette Hills' }],
  emails: [{ primary: true, type: 'work', value: userName }],
  meta: { resourceType: 'User' },
  name: { formatted: 'Ryan Leffler', familyName: 'Kiehn', givenName: 'Lennay' },
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { department: 'R&D', employeeNumber: '7' },
  roles: [],
})

/** As Okta sends it. */
const oktaUser = (userName: string) => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  userName,
  name: { givenName: 'Test', familyName: 'User' },
  emails: [{ primary: true, value: userName, type: 'work' }],
  displayName: 'Test User',
  locale: 'en-US',
  externalId: '00ujl29u0le5T6Aj10h7',
  groups: [],
  password: '1mz050nq',
  active: true,
})

/** A user with a session, a grant and a pending request. */
async function addHolder(): Promise<ScimBody> {
  const { sql } = product
  const person = await provider.addUser()
  const { id } = person
  const [granted, pending] = [await addTemplate(sql), await addTemplate(sql)]
  await addGrant(sql, granted, { id })
  await addRequest(sql, pending, { id })
  await sql`insert into sessions (id, token_hash, identity_id, method, expires_at)
    values (${crypto.randomUUID()}, ${Buffer.from(id)}, ${id}, 'local', now() + interval '1 hour')`
  return person
}

const leftOf = (id: string) =>
  getRow<Record<string, number>>(product.sql`
    select (select count(*)::int from sessions where identity_id = ${id}) as sessions,
      (select count(*)::int from grants where subject_id = ${id} and ended_at is null) as grants,
      (select count(*)::int from access_requests where subject_id = ${id}
        and status in ('pending', 'approved')) as requests`)

describe('A user', () => {
  test.each([
    ['Entra', entraUser, 'Lennay Kiehn'],
    ['Okta', oktaUser, 'Test User'],
  ])('as %s makes it is a person', async (_, make, display_name) => {
    const userName = `${fresh('new')}@example.com`
    const { status, headers, body } = await provider.call('POST', '/Users', make(userName))
    expect(status).toBe(201)
    expect(headers.get('location')).toBe(body.meta.location)
    expect(body).toMatchObject({ userName, active: true, externalId: make(userName).externalId })
    expect(body.name).toMatchObject({ givenName: make(userName).name.givenName })
    expect(JSON.stringify(body)).not.toMatch(/password|1mz050nq|department/)
    const identity = await findIdentity(product.sql, body.id)
    expect(identity?.resource).toMatchObject({
      kind: 'human',
      email: userName,
      display_name,
      status: 'active',
    })
    const [event] = await rows<{ actor_email: string }>(
      product.sql`select actor_email from audit_events where object_id = ${body.id} and kind = 'identity.created'`,
    )
    expect(event?.actor_email).toMatch(/^scim:provider-/)
  })

  test('is found as providers look for it, and by nothing else', async () => {
    const made = await provider.addUser({ externalId: fresh('x') })
    const find = async (filter: string) =>
      (await provider.call('GET', `/Users?filter=${encodeURIComponent(filter)}`)).body
    for (const filter of [
      `userName eq "${made.userName}"`,
      `USERNAME Eq "${made.userName.toUpperCase()}"`,
      `externalId eq "${made.externalId}"`,
      `id eq "${made.id}"`,
      `userName eq "${made.userName}" and active eq true`,
    ])
      expect(await find(filter)).toMatchObject({ totalResults: 1, Resources: [{ id: made.id }] })
    expect(await find('userName eq "nobody@example.com"')).toMatchObject({ totalResults: 0, Resources: [] })
    expect(await find(`userName eq "x' or '1'='1"`)).toMatchObject({ totalResults: 0 })
    expect(await find(`userName eq "${made.userName}" and active eq false`)).toMatchObject({
      totalResults: 0,
    })
  })

  test.each([
    'userName co "a"',
    'password eq "a"',
    'userName eq "a" or userName eq "b"',
    'bogus',
    '((',
    'constructor eq "a"',
    '__proto__ eq "a"',
  ])('is not looked for by %s', async (filter) => {
    expectScimError(
      await provider.call('GET', `/Users?filter=${encodeURIComponent(filter)}`),
      400,
      'invalidFilter',
    )
  })

  test('comes in pages that hold each one once', async () => {
    for (let count = 0; count < 3; count += 1) await provider.addUser()
    const { body: none } = await provider.call('GET', '/Users?count=0')
    expect(none).toMatchObject({ Resources: [], itemsPerPage: 0 })
    const ids: string[] = []
    for (let startIndex = 1; startIndex <= none.totalResults; startIndex += 2) {
      const { body } = await provider.call(
        'GET',
        `/Users?startIndex=${startIndex}&count=2&attributes=userName`,
      )
      expect(body).toMatchObject({ startIndex, totalResults: none.totalResults })
      expect(Object.keys(body.Resources[0] ?? {}).sort()).toEqual(['id', 'meta', 'schemas', 'userName'])
      ids.push(...body.Resources.map(({ id }) => id))
    }
    expect(new Set(ids).size).toBe(none.totalResults)
    expect(ids).toHaveLength(none.totalResults)
    expectScimError(await provider.call('GET', '/Users?count=many'), 400)
  })

  test.each([
    ['Entra', { op: 'Replace', path: 'active', value: 'False' }],
    ['Entra, newer', { op: 'Replace', path: 'active', value: false }],
    [
      'Entra, in full',
      { op: 'Replace', path: 'urn:ietf:params:scim:schemas:core:2.0:User:active', value: 'False' },
    ],
    ['Okta', { op: 'replace', value: { active: false } }],
  ])('is disabled as %s asks: sessions, pending requests and grants end at once', async (_, operation) => {
    const { id } = await addHolder()
    const { status, body } = await patch(id, operation)
    expect(status).toBe(200)
    expect(body.active).toBe(false)
    expect(await leftOf(id)).toEqual({ sessions: 0, grants: 0, requests: 0 })
    const events = await eventsOf(product.sql, id)
    expect(events.map(({ kind }) => kind)).toEqual(['identity.created', 'identity.updated'])
    expect((await patch(id, { op: 'Replace', path: 'active', value: 'True' })).body.active).toBe(true)
    expect(await leftOf(id)).toEqual({ sessions: 0, grants: 0, requests: 0 })
  })

  test.each<[string, (of: ScimBody) => Promise<ScimAnswer>]>([
    [
      'replaced',
      ({ id, userName }) => provider.call('PUT', user(id), { ...oktaUser(userName), active: 'false' }),
    ],
    ['deleted', ({ id }) => provider.call('DELETE', user(id))],
  ])('has nothing left once they are %s, and gets nothing back', async (_, end) => {
    const person = await addHolder()
    expect(await leftOf(person.id)).toEqual({ sessions: 1, grants: 1, requests: 2 })
    expect((await end(person)).status).toBeLessThan(300)
    expect(await leftOf(person.id)).toEqual({ sessions: 0, grants: 0, requests: 0 })
    const again = await provider.call('POST', '/Users', oktaUser(person.userName))
    expect([201, 409]).toContain(again.status)
    expect(await leftOf(person.id)).toEqual({ sessions: 0, grants: 0, requests: 0 })
  })

  test('is changed as providers change it, part by part', async () => {
    const { id, userName } = await provider.addUser({ name: { givenName: 'Al', familyName: 'Jones' } })
    expect((await provider.call('GET', user(id))).body.displayName).toBe('Al Jones')
    const entra = await patch(
      id,
      { op: 'Replace', path: 'displayName', value: 'Al Smith' },
      { op: 'Add', path: 'name.familyName', value: 'Smith' },
      { op: 'Replace', path: 'emails[type eq "work"].value', value: 'other@example.com' },
      {
        op: 'Add',
        path: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department',
        value: 'R&D',
      },
      { op: 'Add', path: 'title', value: 'Engineer' },
      { op: 'Add', path: 'addresses[type eq "work"].formatted', value: '18522 Lisette Hills' },
      { op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '+1 555 0100' },
    )
    expect(entra.body).toMatchObject({
      userName,
      displayName: 'Al Smith',
      name: { familyName: 'Smith', givenName: 'Al' },
    })
    expect((await patch(id, { op: 'replace', path: 'name.givenName', value: 'Bo' })).body.displayName).toBe(
      'Bo Smith',
    )
    const flat = { 'emails[type eq "work"].value': 'other@example.com', 'name.givenName': 'Cy' }
    expect((await patch(id, { op: 'Replace', value: flat })).body).toMatchObject({
      userName,
      displayName: 'Cy Smith',
    })
    const renamed = `${fresh('renamed')}@example.com`
    expect((await patch(id, { op: 'replace', value: { id, userName: renamed } })).body.userName).toBe(renamed)
    const replaced = await provider.call('PUT', user(id), { ...oktaUser(renamed), id, active: false })
    expect(replaced.body).toMatchObject({
      displayName: 'Test User',
      active: false,
      externalId: '00ujl29u0le5T6Aj10h7',
    })
    expect(
      (
        await provider.call('PUT', user(id), {
          ...oktaUser(renamed),
          externalId: undefined,
          active: undefined,
        })
      ).body,
    ).toMatchObject({ active: false })
  })

  test.each<[string, object, string]>([
    ['an unknown operation', operations({ op: 'explode', path: 'active' }), 'invalidSyntax'],
    ['no operations', operations(), 'invalidSyntax'],
    ['no schema', { Operations: [{ op: 'replace', path: 'active', value: false }] }, 'invalidSyntax'],
    ['no boolean', operations({ op: 'replace', path: 'active', value: 'perhaps' }), 'invalidValue'],
    ['an unknown attribute', operations({ op: 'replace', path: 'shoeSize', value: 44 }), 'invalidPath'],
    [
      'an address that is none',
      operations({ op: 'replace', path: 'userName', value: 'nobody' }),
      'invalidValue',
    ],
    ['no name', operations({ op: 'remove', path: 'userName' }), 'invalidValue'],
    [
      'a name that hides something',
      operations({ op: 'replace', path: 'displayName', value: 'a\u202eb' }),
      'invalidValue',
    ],
  ])('is not changed by %s', async (_, body, scimType) => {
    const { id, userName } = await provider.addUser()
    expectScimError(await provider.call('PATCH', user(id), body), 400, scimType)
    expect((await provider.call('GET', user(id))).body).toMatchObject({ userName, active: true })
  })

  test('that exists is not made twice, whoever made it, and gets no address of another', async () => {
    const { userName } = await provider.addUser()
    expectScimError(await provider.call('POST', '/Users', oktaUser(userName)), 409, 'uniqueness')
    expectScimError(await provider.call('POST', '/Users', oktaUser('ALICE@example.com')), 409, 'uniqueness')
    const other = await provider.addUser()
    expectScimError(
      await patch(other.id, { op: 'replace', path: 'userName', value: userName }),
      409,
      'uniqueness',
    )
  })

  test('that is deleted is disabled and out of its groups; made again, it is the same one', async () => {
    const made = await provider.addUser()
    const group = await provider.addGroup([made])
    expect((await provider.call('DELETE', user(made.id))).status).toBe(204)
    for (const [method, body] of [
      ['GET', undefined],
      ['PUT', oktaUser(made.userName)],
      ['PATCH', operations({ op: 'replace', path: 'active', value: true })],
      ['DELETE', undefined],
    ] as const)
      expectScimError(await provider.call(method, user(made.id), body), 404)
    expect((await findIdentity(product.sql, made.id))?.resource.status).toBe('disabled')
    expect((await provider.call('GET', `/Groups/${group.id}`)).body.members ?? []).toEqual([])
    const again = await provider.call('POST', '/Users', oktaUser(made.userName))
    expect(again.status).toBe(201)
    expect(again.body).toMatchObject({ id: made.id, active: true })
    expect((await provider.call('GET', `/Groups/${group.id}`)).body.members ?? []).toEqual([])
  })

  test('who holds a permission is disabled, but neither enabled, nor given another address', async () => {
    const person = await addPerson(product.sql)
    const admins = await addGroup(product.sql, [person], { permissions: ['directory.manage'] })
    expectScimError(
      await patch(person.id, { op: 'replace', path: 'userName', value: 'eve@example.com' }),
      403,
    )
    expect((await patch(person.id, { op: 'replace', path: 'displayName', value: 'New Name' })).status).toBe(
      200,
    )
    expect((await patch(person.id, { op: 'replace', path: 'active', value: false })).status).toBe(200)
    expectScimError(await patch(person.id, { op: 'replace', path: 'active', value: true }), 403)
    const trusted = await addProvider(product, { may_manage_privileged_groups: true })
    const enable = operations({ op: 'replace', path: 'active', value: true })
    expect((await trusted.call('PATCH', user(person.id), enable)).status).toBe(200)
    await provider.call('DELETE', user(person.id))
    expectScimError(await provider.call('POST', '/Users', oktaUser(person.email)), 403)
    await addMember(product.sql, admins, await addPerson(product.sql))
  })

  test('who is the last admin stays, by a provider that may do all the rest too', async () => {
    const trusted = await addProvider(product, { may_manage_privileged_groups: true })
    const { id } = await product.as('admin')
    const disable = operations({ op: 'replace', path: 'active', value: false })
    expectScimError(await trusted.call('PATCH', user(id), disable), 409)
    expectScimError(await trusted.call('DELETE', user(id)), 409)
    expect((await trusted.call('GET', user(id))).body.active).toBe(true)
  })

  test('is never a machine', async () => {
    const bot = await addServiceAccount(product.sql, (await product.as('alice')).id)
    const filter = encodeURIComponent(`userName eq "${bot.email}"`)
    expect((await provider.call('GET', `/Users?filter=${filter}`)).body.totalResults).toBe(0)
    expectScimError(await provider.call('GET', user(bot.id)), 404)
    expectScimError(await provider.call('DELETE', user(bot.id)), 404)
    expectScimError(await patch(bot.id, { op: 'replace', path: 'active', value: false }), 404)
    expectScimError(await provider.call('POST', '/Users', oktaUser(bot.email)), 400, 'invalidValue')
  })
})
