import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { getRow } from '../../../db/client.ts'
import type { Identity } from '../../../domain/directory.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { CallOptions, TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import {
  addAdmin,
  addApplication,
  addGroup,
  addMapping,
  addPerson,
  eventsOf,
  fresh,
} from '../../setup/people.ts'

type Fields = { [key: string]: unknown }

/** What the writes of all directory resources have in common. */
type Resource = {
  collection: () => Promise<string>
  path: string
  edit: 'PUT' | 'PATCH'
  text: string
  input: () => Fields
}

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

const at = (collection: string) => () => Promise.resolve(collection)
const resources: [string, Resource][] = [
  [
    'identity',
    {
      collection: at('/identities'),
      path: '/identities',
      edit: 'PATCH',
      text: 'display_name',
      input: () => ({ email: `${fresh('p')}@example.com`, display_name: 'P' }),
    },
  ],
  [
    'group',
    {
      collection: at('/groups'),
      path: '/groups',
      edit: 'PUT',
      text: 'description',
      input: () => ({ name: fresh('g') }),
    },
  ],
  [
    'application',
    {
      collection: at('/applications'),
      path: '/applications',
      edit: 'PUT',
      text: 'description',
      input: () => ({ name: fresh('a'), slug: fresh('a') }),
    },
  ],
  [
    'mapping',
    {
      collection: async () => `/applications/${(await addApplication(database.sql)).id}/mappings`,
      path: '/app-mappings',
      edit: 'PUT',
      text: 'value',
      input: () => ({ name: fresh('m'), claim: 'roles', value: 'v' }),
    },
  ],
]

const call = (method: string, path: string, options: CallOptions = {}) =>
  api.call(method, path, { as: admin.id, ...options })

async function add({ collection, path, input }: Resource) {
  const body = input()
  const created = await call('POST', await collection(), { body })
  expect(created.status).toBe(201)
  return { input: body, path: `${path}/${String(created.body['id'])}`, id: String(created.body['id']) }
}

describe.each(resources)('Writing an %s', (name, resource) => {
  const { edit, text } = resource

  test('is for those who manage, and tells others nothing of the body', async () => {
    const { path, input } = await add(resource)
    const asBob = { as: bob.id, body: { nonsense: true } }
    expectRefusal(await call('POST', await resource.collection(), asBob), 403, 'forbidden')
    expectRefusal(await call(edit, path, asBob), 403, 'forbidden')
    if (name !== 'identity') expectRefusal(await call('DELETE', path, { as: bob.id }), 403, 'forbidden')
    const read = await call('GET', path, { as: bob.id })
    expect(read.body).toMatchObject(input)
  })

  test('goes through with the version that was read, with *, and without If-Match', async () => {
    const { path, input } = await add(resource)
    const first = (await call('GET', path)).headers.get('etag') ?? ''
    for (const headers of [{ 'if-match': first }, { 'if-match': '*' }, {}]) {
      const body = { ...input, [text]: crypto.randomUUID() }
      const answer = await call(edit, path, { body, headers })
      expect(answer.status).toBe(200)
      expect(answer.body).toMatchObject(body)
      expect((await call('GET', path)).headers.get('etag')).toBe(answer.headers.get('etag'))
    }
    const listOfTags = { 'if-match': '"99", "4"' }
    expect((await call(edit, path, { body: { ...input, [text]: 'last' }, headers: listOfTags })).status).toBe(
      200,
    )
  })

  test.each(['"1"', 'W/"2"', '2', '""', '"2', 'nonsense', '"99", W/"2"'])(
    'is refused with the stale, weak or foreign tag %s',
    async (tag) => {
      const { path, input } = await add(resource)
      await call(edit, path, { body: { ...input, [text]: 'somebody else was here' } })
      const headers = { 'if-match': tag }
      const answer = await call(edit, path, { body: { ...input, [text]: 'mine' }, headers })
      expectRefusal(answer, 412, 'precondition_failed')
      if (name !== 'identity') {
        expectRefusal(await call('DELETE', path, { headers }), 412, 'precondition_failed')
      }
      expect((await call('GET', path)).body[text]).toBe('somebody else was here')
    },
  )

  test('by two who read the same version succeeds for one of them', async () => {
    const { path, input } = await add(resource)
    const headers = { 'if-match': (await call('GET', path)).headers.get('etag') ?? '' }
    const writes = Array.from({ length: 8 }, (_, index) =>
      call(edit, path, { body: { ...input, [text]: `writer ${index}` }, headers }),
    )
    const statuses = (await Promise.all(writes)).map(({ status }) => status)
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, ...Array<number>(7).fill(412)])
  })

  test('under an idempotency key creates once and answers the same again', async () => {
    const [collection, body] = [await resource.collection(), resource.input()]
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const first = await call('POST', collection, { body, headers })
    const again = await call('POST', collection, { body, headers })
    expect([first.status, again.status]).toEqual([201, 201])
    expect(again.body).toEqual(first.body)
    expect(again.headers.get('location')).toBe(first.headers.get('location'))
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'))
    expect(await eventsOf(database.sql, String(first.body['id']))).toHaveLength(1)
    const other = await call('POST', collection, { body: resource.input(), headers })
    expectRefusal(other, 422, 'idempotency_key_reused')
  })

  test('whose answer was lost goes on as the same creation, and is audited once', async () => {
    const [collection, body] = [await resource.collection(), resource.input()]
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const first = await call('POST', collection, { body, headers })
    await database.sql`update idempotency_keys set status = null, body = null, locked_until = null
      where key = ${headers['idempotency-key']}`
    const again = await call('POST', collection, { body, headers })
    expect(again.status).toBe(201)
    expect(again.body).toEqual(first.body)
    expect(await eventsOf(database.sql, String(first.body['id']))).toHaveLength(1)
  })

  test.each([
    ['a NUL', 'a\0b'],
    ['half a character', 'a\ud800b'],
    ['the other half', '\udfff'],
    ['a megabyte', 'x'.repeat(1_000_000)],
    ['a number', 7],
    ['an object', { $ne: null }],
  ])('refuses a text that is %s, and keeps nothing of it', async (_, value) => {
    const { path, input } = await add(resource)
    const body = { ...input, [text]: value }
    const pointer = `/${text}`
    const created = await call('POST', await resource.collection(), {
      body: { ...resource.input(), [text]: value },
    })
    expectRefusal(created, 422, 'invalid_request', pointer)
    expectRefusal(await call(edit, path, { body }), 422, 'invalid_request', pointer)
    expect((await call('GET', path)).headers.get('etag')).toBe('"1"')
  })

  test('keeps a text that only looks dangerous as it is', async () => {
    const { path, input } = await add(resource)
    const value = `'; drop table identities; -- <script>alert(1)</script> =1+1 \${7*7} 𝔘`
    const { body } = await call(edit, path, { body: { ...input, [text]: value } })
    expect(body[text]).toBe(value)
  })

  test.each(['id', 'version', 'created_at', 'updated_at', 'operation_id', '__proto__', 'constructor'])(
    'refuses the field %s, which is nobody’s to send',
    async (field) => {
      const { path, input } = await add(resource)
      const text = JSON.stringify({ ...input, field: 'x' }).replace('"field"', JSON.stringify(field))
      expectRefusal(await call(edit, path, { body: text }), 422, 'invalid_request', `/${field}`)
      expectRefusal(
        await call('POST', await resource.collection(), { body: text }),
        422,
        'invalid_request',
        `/${field}`,
      )
    },
  )

  test.each(['null', '[]', '7', '"text"', 'true'])('refuses a body that is %s', async (body) => {
    const { path } = await add(resource)
    expectRefusal(await call(edit, path, { body }), 422, 'invalid_request')
    expectRefusal(await call('POST', await resource.collection(), { body }), 422, 'invalid_request')
  })

  test.each(['{', '', '{"name": undefined}', "{'name': 1}"])(
    'refuses the malformed body %s',
    async (body) => {
      const { path } = await add(resource)
      const answers = [
        await call(edit, path, { body }),
        await call('POST', await resource.collection(), { body }),
      ]
      const expected = body === '' && edit === 'PATCH' ? [200, 422] : body === '' ? [422, 422] : [400, 400]
      expect(answers.map(({ status }) => status)).toEqual(expected)
    },
  )

  test('finds a thing by its id in capitals, and answers with the usual spelling', async () => {
    const { path, id } = await add(resource)
    const { status, body } = await call('GET', path.replace(id, id.toUpperCase()))
    expect([status, body['id']]).toEqual([200, id])
  })

  test.each(['1', 'null', '..%2f', '%00', "' or true --", '00000000-0000-0000-0000-000000000000'])(
    'finds nothing under the id %s',
    async (id) => {
      const path = `${resource.path}/${id}`
      expectRefusal(await call('GET', path), 404, 'not_found')
      expectRefusal(await call(edit, path, { body: resource.input() }), 404, 'not_found')
      expect((await call('DELETE', path)).status).toBe(404)
    },
  )

  test('by twenty at once under one name makes one', async () => {
    const [collection, body] = [await resource.collection(), resource.input()]
    const writes = Array.from({ length: 20 }, () => call('POST', collection, { body }))
    const statuses = (await Promise.all(writes)).map(({ status }) => status)
    expect(statuses.toSorted((a, b) => a - b)).toEqual([201, ...Array<number>(19).fill(409)])
  })
})

test('Every event that was written here tells who did it, of what, and has its hash', async () => {
  const mapping = await addMapping(database.sql, await addApplication(database.sql))
  const group = await addGroup(database.sql)
  expect((await call('PUT', `/groups/${group.id}/mappings/${mapping.id}`)).status).toBe(204)
  const { bare } = await getRow<{ bare: number }>(database.sql`
    select count(*)::int as bare from audit_events
    where object_id is null or object_type is null or length(content_hash) <> 32
      or (actor_id is null) <> (actor_email is null)`)
  expect(bare).toBe(0)
})
