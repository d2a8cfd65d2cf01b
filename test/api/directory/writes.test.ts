import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { getRow } from '../../../db/client.ts'
import type { Identity } from '../../../domain/directory.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { CallOptions, TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import { addAdmin, addApplication, addGroup, addMapping, addPerson, eventsOf } from '../../setup/people.ts'
import { addResource, resources } from './resources.ts'
import type { Resource } from './resources.ts'

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

const call = (method: string, path: string, options: CallOptions = {}) =>
  api.call(method, path, { as: admin.id, ...options })

const add = (resource: Resource) => addResource(api, database.sql, admin.id, resource)

describe.each(resources)('Writing an %s', (name, resource) => {
  const { edit, text } = resource

  test('is for those who manage, and tells others nothing of the body', async () => {
    const { path, input } = await add(resource)
    const asBob = { as: bob.id, body: { nonsense: true } }
    expectRefusal(await call('POST', await resource.collection(database.sql), asBob), 403, 'forbidden')
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
    const [collection, body] = [await resource.collection(database.sql), resource.input()]
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
    const [collection, body] = [await resource.collection(database.sql), resource.input()]
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const first = await call('POST', collection, { body, headers })
    await database.sql`update idempotency_keys set status = null, body = null, locked_until = null
      where key = ${headers['idempotency-key']}`
    const again = await call('POST', collection, { body, headers })
    expect(again.status).toBe(201)
    expect(again.body).toEqual(first.body)
    expect(await eventsOf(database.sql, String(first.body['id']))).toHaveLength(1)
  })

  test('by twenty at once under one name makes one', async () => {
    const [collection, body] = [await resource.collection(database.sql), resource.input()]
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
