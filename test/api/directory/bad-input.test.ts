import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { Identity } from '../../../domain/directory.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { CallOptions, TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import { addAdmin } from '../../setup/people.ts'
import { addResource, resources } from './resources.ts'
import type { Resource } from './resources.ts'

let database: TestDatabase
let api: TestApi
let admin: Identity

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql)
  admin = await addAdmin(database.sql)
})
afterAll(() => database.drop())

const call = (method: string, path: string, options: CallOptions = {}) =>
  api.call(method, path, { as: admin.id, ...options })

const add = (resource: Resource) => addResource(api, database.sql, admin.id, resource)

describe.each(resources)('An %s', (_name, resource) => {
  const { edit, text } = resource

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
    const created = await call('POST', await resource.collection(database.sql), {
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
        await call('POST', await resource.collection(database.sql), { body: text }),
        422,
        'invalid_request',
        `/${field}`,
      )
    },
  )

  test.each(['null', '[]', '7', '"text"', 'true'])('refuses a body that is %s', async (body) => {
    const { path } = await add(resource)
    expectRefusal(await call(edit, path, { body }), 422, 'invalid_request')
    expectRefusal(
      await call('POST', await resource.collection(database.sql), { body }),
      422,
      'invalid_request',
    )
  })

  test.each(['{', '', '{"name": undefined}', "{'name': 1}"])(
    'refuses the malformed body %s',
    async (body) => {
      const { path } = await add(resource)
      const answers = [
        await call(edit, path, { body }),
        await call('POST', await resource.collection(database.sql), { body }),
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
})
