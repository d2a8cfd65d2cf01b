import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { rows } from '../../../db/client.ts'
import { addPerson, fresh } from '../../setup/people.ts'
import { startTestProduct } from '../../setup/product.ts'
import type { TestProduct } from '../../setup/product.ts'
import { addProvider, operations } from './provider.ts'
import type { Provider } from './provider.ts'

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
const find = (filter: string) => provider.call('GET', `/Users?filter=${encodeURIComponent(filter)}`)

const core = 'urn:ietf:params:scim:schemas:core:2.0:User'
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

const addAl = () =>
  provider.addUser({ name: { givenName: 'Al', familyName: 'Jones' }, externalId: 'e-1', displayName: 'Al J' })

describe('A change of a user', () => {
  test.each<[string, object[], object]>([
    ['op and path in capitals', [{ op: 'REPLACE', path: 'ACTIVE', value: 'FALSE' }], { active: false }],
    [
      'one thing as a list of it',
      [{ op: 'Replace', path: 'active', value: [{ $ref: null, value: 'False' }] }],
      { active: false },
    ],
    [
      'a name in capitals, without a path',
      [{ op: 'Replace', value: { Active: 'False' } }],
      { active: false },
    ],
    ['small letters', [{ op: 'Add', path: 'displayname', value: 'New' }], { displayName: 'New' }],
    [
      'a part in other letters',
      [{ op: 'Replace', path: 'NAME.GivenName', value: 'Bo' }],
      { name: { givenName: 'Bo', familyName: 'Jones' } },
    ],
    [
      'a part by its full name',
      [{ op: 'Replace', path: `${core}:name.givenName`, value: 'Bo' }],
      { name: { givenName: 'Bo', familyName: 'Jones' } },
    ],
    [
      'the whole of a name',
      [{ op: 'replace', path: 'name', value: { givenName: 'Bo', familyName: 'Smith' } }],
      { name: { givenName: 'Bo', familyName: 'Smith' } },
    ],
    [
      'a part without a path',
      [{ op: 'replace', value: { name: { familyName: 'Smith' } } }],
      { name: { familyName: 'Smith' } },
    ],
    [
      'what Entra sends in its newer way',
      [
        { op: 'replace', path: 'emails[type eq "work"].value', value: 'other@example.com' },
        {
          op: 'replace',
          value: {
            displayName: 'Bjfe',
            'name.givenName': 'Kkom',
            'name.familyName': 'Unua',
            [`${enterprise}:employeeNumber`]: 'Aklq',
          },
        },
      ],
      { displayName: 'Bjfe', name: { givenName: 'Kkom', familyName: 'Unua' } },
    ],
    [
      'attributes of the enterprise extension',
      [
        {
          op: 'Add',
          path: `${enterprise}:manager`,
          value: [{ $ref: '../Users/26118915', value: '26118915' }],
        },
        { op: 'Remove', path: `${enterprise}:department` },
        { op: 'add', value: { [enterprise]: { manager: { value: 'x' } }, displayName: 'New' } },
      ],
      { displayName: 'New' },
    ],
    [
      'attributes that are not kept, of whatever kind',
      [
        { op: 'Add', path: 'nickName', value: 'Babs' },
        { op: 'Replace', path: 'profileUrl', value: 'no address' },
        { op: 'Replace', path: 'timezone', value: 7 },
        { op: 'add', path: 'emails[primary eq true].value', value: 'x@example.com' },
        { op: 'add', value: { title: null, phoneNumbers: 'x', [`${core}:locale`]: {} } },
      ],
      { displayName: 'Al J', active: true },
    ],
    ['an end of what is said', [{ op: 'Remove', path: 'name.givenName' }], { name: { familyName: 'Jones' } }],
    ['nothing new', [{ op: 'replace', path: 'active', value: true }], { active: true, displayName: 'Al J' }],
  ])('is taken with %s', async (_, ops, expected) => {
    const { id } = await addAl()
    const { status, body } = await patch(id, ...ops)
    expect([status, body]).toMatchObject([200, expected])
    expect((await provider.call('GET', user(id))).body).toEqual(body)
  })

  test.each<[string, unknown, number]>([
    ['an object for a yes', operations({ op: 'replace', path: 'active', value: {} }), 400],
    ['several for one', operations({ op: 'replace', path: 'displayName', value: ['a', 'b'] }), 400],
    ['a number for a text', operations({ op: 'replace', path: 'displayName', value: 1e308 }), 400],
    [
      'a number without end',
      '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"userName","value":1e999}]}',
      400,
    ],
    ['no address at all', operations({ op: 'replace', path: 'userName', value: null }), 400],
    ['a part of a part', operations({ op: 'replace', path: 'name.givenName.x', value: 'a' }), 400],
    ['a path without end', operations({ op: 'replace', path: 'a'.repeat(2_000), value: 'a' }), 400],
    ['a NUL', operations({ op: 'replace', path: 'externalId', value: 'a\u0000b' }), 400],
    ['a text without end', operations({ op: 'replace', path: 'externalId', value: 'a'.repeat(5_000) }), 400],
    [
      'another filter',
      operations({ op: 'replace', path: 'name[familyName eq "x"].givenName', value: 'a' }),
      400,
    ],
    ['members', operations({ op: 'add', path: 'members', value: [{ value: 'x' }] }), 400],
    ['a removal of nothing', operations({ op: 'remove' }), 400],
    [
      '1,001 operations',
      operations(...Array.from({ length: 1_001 }, () => ({ op: 'add', path: 'title', value: 'x' }))),
      400,
    ],
    [
      'what is nested without end',
      `{"schemas":[],"Operations":[{"op":"add","value":${'{"name":'.repeat(200)}1${'}'.repeat(200)}}]}`,
      400,
    ],
  ])('is refused with %s, and changes nothing', async (_, body, expected) => {
    const { id } = await addAl()
    const before = await provider.call('GET', user(id))
    const { status, body: refusal } = await provider.call('PATCH', user(id), body)
    expect([status, refusal.status]).toEqual([expected, String(expected)])
    expect(await provider.call('GET', user(id))).toMatchObject({ body: before.body })
  })

  test('is read whatever the letters of its message, and with the charset of its type', async () => {
    const { id } = await addAl()
    const change = {
      Schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      operations: [{ Op: 'replace', PATH: 'active', Value: false }],
    }
    const type = { 'content-type': 'Application/SCIM+JSON; charset=utf-8' }
    expect((await provider.call('PATCH', user(id), change, type)).body).toMatchObject({ id, active: false })
  })

  test('is one of a thousand operations', async () => {
    const { id } = await addAl()
    const ops = Array.from({ length: 1_000 }, (_, at) => ({
      op: 'Replace',
      path: 'name.givenName',
      value: `Al ${at}`,
    }))
    expect((await patch(id, ...ops)).body.name?.['givenName']).toBe('Al 999')
  })

  test('by the version that somebody has seen is refused: there are no versions', async () => {
    const { id } = await addAl()
    const change = operations({ op: 'replace', path: 'active', value: false })
    const versioned = await provider.call('PATCH', user(id), change, { 'if-match': 'W/"1"' })
    expect([versioned.status, versioned.body.status]).toEqual([412, '412'])
    expect((await provider.call('DELETE', user(id), undefined, { 'if-match': '"x"' })).status).toBe(412)
    expect((await provider.call('PATCH', user(id), change, { 'if-match': '*' })).status).toBe(200)
  })
})

describe('A new user', () => {
  test('is taken with whatever is not kept, in any letters', async () => {
    const userName = `${fresh('new')}@example.com`
    const { status, body } = await provider.call('POST', '/Users', {
      schemas: [core, enterprise, 'urn:okta:custom:user:1.0'],
      USERNAME: userName,
      Active: 'False',
      profileUrl: 'www.example.com',
      timezone: 7,
      title: null,
      shoeSize: 44,
      addresses: 'none',
      emails: [{ value: 5, primary: 'True' }],
      roles: [{ value: 'admin' }],
      entitlements: [{ value: 'access_requests.manage' }],
      [enterprise]: { manager: { value: 'x' }, employeeNumber: 7 },
      'urn:okta:custom:user:1.0': { a: { b: { c: [] } } },
    })
    expect([status, body]).toMatchObject([201, { userName, active: false }])
  })

  test('is made once, however many ask for it at the same time', async () => {
    const body = { schemas: [core], userName: `${fresh('new')}@example.com` }
    const answers = await Promise.all(Array.from({ length: 10 }, () => provider.call('POST', '/Users', body)))
    const refused = answers.filter(({ status }) => status !== 201)
    expect(refused).toHaveLength(9)
    for (const answer of refused) expect([answer.status, answer.body.scimType]).toEqual([409, 'uniqueness'])
  })

  test('with the externalId of one who was deleted is another one', async () => {
    const externalId = fresh('e')
    const gone = await provider.addUser({ externalId })
    await provider.call('DELETE', user(gone.id))
    const made = await provider.addUser({ externalId })
    expect(made.id).not.toBe(gone.id)
    expect((await find(`externalId eq "${externalId}"`)).body).toMatchObject({
      totalResults: 1,
      Resources: [{ id: made.id }],
    })
    const again = await provider.addUser({ userName: gone.userName, externalId })
    expect(again.id).toBe(gone.id)
    expect((await find(`externalId eq "${externalId}"`)).body.totalResults).toBe(2)
  })

  test('who was deleted comes back without groups that somebody put them into meanwhile', async () => {
    const gone = await provider.addUser()
    const group = await provider.addGroup([])
    await provider.call('DELETE', user(gone.id))
    await product.sql`insert into memberships (group_id, identity_id) values (${group.id}, ${gone.id})`
    await provider.addUser({ userName: gone.userName })
    expect(await rows(product.sql`select from memberships where group_id = ${group.id}`)).toEqual([])
  })
})

describe('A filter', () => {
  test('finds by the address in every spelling that providers use', async () => {
    const name = `o'brien+${fresh('x')}`
    const { id } = await provider.addUser({ userName: `${name}@example.com` })
    const text = JSON.stringify(`${name}@example.com`)
    for (const filter of [
      `userName eq ${text}`,
      `userName eq ${text.replace("'", String.raw`\u0027`)}`,
      `  username   EQ  ${text}  `,
      `${core}:userName eq ${text}`,
      `emails[type eq "work"].value eq ${text}`,
      `emails.value eq ${text}`,
      `emails[value eq ${text}]`,
      `emails eq ${text} and active eq "True"`,
    ])
      expect((await find(filter)).body).toMatchObject({ totalResults: 1, Resources: [{ id }] })
  })

  test.each([
    `userName eq 'a@example.com'`,
    'userName eq a@example.com',
    'userName eq "a@example.com',
    'userName eq ""a@example.com"',
    String.raw`userName eq "a\q"`,
    String.raw`userName eq "a\u0000"`,
    'userName eq "a\u0000"',
    'userName eq "a" and emails eq "b"',
    'emails[type eq "home"].value eq "a"',
    'emails[type eq "work"] eq "a"',
    'userName eq 1e999',
    'userName eq null',
    'userName',
    `userName eq "a" ${'and active eq true '.repeat(100)}`,
  ])('such as %s is refused', async (filter) => {
    expect(await find(filter)).toMatchObject({ status: 400, body: { scimType: 'invalidFilter' } })
  })

  test.each([
    'id eq "x"',
    `id eq "${'0'.repeat(500)}"`,
    String.raw`externalId eq "\ud800"`,
    'userName eq ""',
  ])('such as %s finds nobody', async (filter) => {
    expect((await find(filter)).body).toMatchObject({ totalResults: 0, Resources: [] })
  })

  test('by a member that no user can be finds no group', async () => {
    const { id } = await provider.addGroup([])
    for (const filter of [
      'members eq "x"',
      `id eq "x" and members eq "${id}"`,
      `id eq "${id}" and members eq ""`,
    ]) {
      const answer = await provider.call('GET', `/Groups?filter=${encodeURIComponent(filter)}`)
      expect([answer.status, answer.body.totalResults]).toEqual([200, 0])
    }
  })
})

describe('A page', () => {
  test.each([
    ['startIndex=999999999', { startIndex: 999_999_999, itemsPerPage: 0, Resources: [] }],
    ['startIndex=0&count=1', { startIndex: 1, itemsPerPage: 1 }],
    ['startIndex=-5&count=1', { startIndex: 1, itemsPerPage: 1 }],
    ['count=-1', { startIndex: 1, itemsPerPage: 0, Resources: [] }],
    ['startIndex=1&startIndex=2&count=1', { startIndex: 1, itemsPerPage: 1 }],
  ])('by %s is answered', async (query, expected) => {
    await addPerson(product.sql)
    const { status, body } = await provider.call('GET', `/Users?${query}`)
    expect([status, body]).toMatchObject([200, expected])
    expect(body.totalResults).toBeGreaterThan(0)
  })

  test.each([
    'startIndex=99999999999999999999',
    'count=1e3',
    'count=',
    'startIndex=١',
    'count=0x10',
    'count=1.5',
  ])('by %s is refused', async (query) => {
    expect((await provider.call('GET', `/Users?${query}`)).status).toBe(400)
  })

  test('shows what is asked for, by the full name and by a part too', async () => {
    const { id } = await addAl()
    const keys = async (query: string) =>
      Object.keys((await provider.call('GET', `${user(id)}?${query}`)).body)
        .filter((key) => !['schemas', 'id', 'meta'].includes(key))
        .sort()
    expect(await keys(`attributes=${core}:userName,NAME.givenName`)).toEqual(['name', 'userName'])
    expect(await keys('excludedAttributes=name,emails,displayName,externalId')).toEqual([
      'active',
      'userName',
    ])
    expect(await keys('attributes=shoeSize,__proto__')).toEqual([])
  })
})
