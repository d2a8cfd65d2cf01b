import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { getRow } from '../../../db/client.ts'
import { eventsOf, fresh } from '../../setup/people.ts'
import { startTestProduct } from '../../setup/product.ts'
import type { TestProduct } from '../../setup/product.ts'
import { addProvider } from './provider.ts'
import type { Provider } from './provider.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

let product: TestProduct
let provider: Provider

beforeAll(async () => {
  product = await startTestProduct({ without_worker: true })
  provider = await addProvider(product)
})
afterAll(() => product.close())

type Made = { id: string; token: string; name: string }

test('A token is shown once, kept as a hash, listed without its value, and gone when it is deleted', async () => {
  const admin = await product.as('admin')
  const name = fresh('okta')
  const { status, headers, body } = await admin.call<Made>(
    'POST',
    '/scim-tokens',
    { name },
    { 'idempotency-key': fresh('k') },
  )
  expect([status, headers.get('cache-control')]).toEqual([201, 'no-store'])
  expect(body.token).toMatch(/^hpc_[\w-]{43}_[\w-]{6}$/)
  const listed = await admin.call('GET', '/scim-tokens?limit=200')
  expect(JSON.stringify(listed.body)).toContain(name)
  expect(JSON.stringify(listed.body)).not.toContain(body.token)
  const dump = await getRow<{ text: string }>(product.sql`
    select (select string_agg(t::text, '') from scim_tokens t) || (select string_agg(k::text, '') from idempotency_keys k)
      || (select string_agg(a::text, '') from audit_events a) as text`)
  expect(dump.text).not.toContain(body.token.slice(4, 40))
  const call = () =>
    fetch(`${product.url}/scim/v2/Users`, { headers: { authorization: `Bearer ${body.token}` } })
  expect((await call()).status).toBe(200)
  expect((await admin.call('DELETE', `/scim-tokens/${body.id}`)).status).toBe(204)
  expect((await call()).status).toBe(401)
  expect((await admin.call('DELETE', `/scim-tokens/${body.id}`)).status).toBe(404)
  expect((await eventsOf(product.sql, body.id)).map(({ kind }) => kind)).toEqual([
    'scim_token.created',
    'scim_token.deleted',
  ])
})

test('A token that has ended is none', async () => {
  const ending = await addProvider(product, { expires_at: '2099-01-01T00:00:00Z' })
  expect((await ending.call('GET', '/Users?count=0')).status).toBe(200)
  await product.sql`update scim_tokens set expires_at = now() where id = ${ending.token_id}`
  expect((await ending.call('GET', '/Users?count=0')).status).toBe(401)
})

test.each(['GET', 'POST'])(
  'Tokens are for who manages access requests: %s is refused to others',
  async (method) => {
    const { status } = await (await product.as('alice')).call(
      method,
      '/scim-tokens',
      method === 'POST' ? { name: 'x' } : undefined,
    )
    expect(status).toBe(403)
  },
)

test.each([
  ['nothing', {}],
  ['a token of the API', { authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' }],
  ['one that was made up', { authorization: `Bearer hpc_${'a'.repeat(43)}_AAAAAA` }],
  ['a cookie', { cookie: 'hallpass_session=x' }],
  ['one in the wrong scheme', { authorization: 'Basic aHBjX3g6eA==' }],
])('Whoever shows %s is refused in the words of SCIM', async (_, headers) => {
  for (const path of ['/Users', '/Groups', '/Schemas', '/ServiceProviderConfig', '/nothing']) {
    const response = await fetch(`${product.url}/scim/v2${path}`, {
      headers: headers as Record<string, string>,
    })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('Bearer')
    expect(await response.json()).toMatchObject({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '401',
    })
  }
})

test('A SCIM token opens nothing else', async () => {
  const { body } = await (await product.as('admin')).call<Made>('POST', '/scim-tokens', { name: fresh('t') })
  const response = await fetch(`${product.url}/api/v1/me`, {
    headers: { authorization: `Bearer ${body.token}` },
  })
  expect(response.status).toBe(401)
})

test('What the server can do is described for whoever sets a provider up', async () => {
  const { body: config } = await provider.call('GET', '/ServiceProviderConfig')
  expect(config).toMatchObject({
    patch: { supported: true },
    filter: { supported: true },
    bulk: { supported: false },
  })
  const { body: types } = await provider.call('GET', '/ResourceTypes')
  expect(types.Resources.map(({ id }) => id)).toEqual(['User', 'Group'])
  expect((await provider.call('GET', '/ResourceTypes/Group')).body).toMatchObject({
    id: 'Group',
    endpoint: '/Groups',
  })
  const { body: schemas } = await provider.call('GET', '/Schemas')
  expect(schemas.totalResults).toBe(2)
  const one = await provider.call('GET', `/Schemas/${schemas.Resources[0]?.id ?? ''}`)
  expect(JSON.stringify(one.body)).toContain('userName')
  expect(JSON.stringify(one.body)).not.toMatch(/password|x509/)
})

test.each([
  ['GET', '/Nothing', undefined, 404],
  ['GET', '/Users/not-an-id', undefined, 404],
  ['GET', `/Groups/${crypto.randomUUID()}`, undefined, 404],
  ['POST', '/Bulk', {}, 404],
  ['GET', '/Me', undefined, 404],
  ['POST', '/Users', '{', 400],
  ['POST', '/Users', '[]', 400],
  ['POST', '/Users', '{"userName":"a@example.com","userName":"b@example.com"}', 400],
  ['POST', '/Users', { displayName: 'Nobody' }, 400],
])('%s %s with %j is answered %i', async (method, path, body, expected) => {
  const answer = await provider.call(method, path, body)
  expect(answer.status).toBe(expected)
  expect(answer.body).toMatchObject({ status: String(expected) })
  expect(answer.headers.get('content-type')).toBe('application/scim+json')
})

test.each([
  ['/Users', 1_100_000],
  ['/Groups', 4_200_000],
])('A body of %s that is too long is refused: %i', async (path, length) => {
  const answer = await provider.call('POST', path, `{"displayName":"${'a'.repeat(length)}"}`)
  expect([answer.status, answer.body.status]).toEqual([413, '413'])
})

test('A body of another type is refused', async () => {
  const answer = await provider.call('POST', '/Users', 'userName=a', {
    'content-type': 'application/x-www-form-urlencoded',
  })
  expect(answer.status).toBe(415)
})
