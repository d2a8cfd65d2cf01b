import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { getRow } from '../../db/client.ts'
import { createBrowser, refusalOf } from '../api/sign-in/browser.ts'
import type { Browser } from '../api/sign-in/browser.ts'
import { startTestProduct } from '../setup/product.ts'
import type { TestProduct } from '../setup/product.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

type Operation = [method: string, path: string]

let it: TestProduct
let admin: Browser
let writes: Operation[]

beforeAll(async () => {
  it = await startTestProduct({ public_url: 'http://127.0.0.1:8080', without_worker: true })
  admin = createBrowser(it.url)
  expect((await admin.post('/auth/local', { email: 'admin@example.com' })).status).toBe(204)
  const document = (await (await admin.go('/api/v1/openapi.json')).json()) as { paths: object }
  writes = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item as object)
      .filter((method) => ['post', 'put', 'patch', 'delete'].includes(method))
      .map((method): Operation => [method.toUpperCase(), path.replaceAll(/\{\w+\}/g, () => randomUUID())]),
  )
})
afterAll(() => it.close())

const audited = async (): Promise<number> =>
  (await getRow<{ count: number }>(it.sql`select count(*)::int as count from audit_events`)).count

/** What a page elsewhere can have a browser send without asking first, and what it could with a hole in CORS. */
const types = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json',
]

test('Every write that a browser sends for another page is refused before anything of it is looked at', async () => {
  expect(writes.length).toBeGreaterThan(40)
  const before = await audited()
  for (const [method, path] of writes) {
    for (const type of types) {
      const headers = { 'content-type': type, origin: 'https://evil.example' }
      const answer = await admin.go(`/api/v1${path}`, { method, headers, body: '{"name":"x"}' })
      const refusal = await refusalOf(answer)
      expect([method, path, type, refusal]).toEqual([method, path, type, { status: 403, code: 'forbidden' }])
    }
  }
  expect(await audited()).toBe(before)
})

test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
  'A form is no JSON, whatever page it comes from: %s',
  async (type) => {
    const headers = { 'content-type': type, origin: new URL(it.url).origin }
    const answer = await admin.go('/api/v1/groups', { method: 'POST', headers, body: '{"name":"a form"}' })
    expect(await refusalOf(answer)).toEqual({ status: 415, code: 'unsupported_media_type' })
  },
)

test('A read that says that it is a write stays a read', async () => {
  const before = await audited()
  const claims = {
    'x-http-method-override': 'POST',
    'x-http-method': 'DELETE',
    'x-method-override': 'PUT',
    origin: 'https://evil.example',
  }
  const answer = await admin.go('/api/v1/groups?_method=DELETE', { headers: claims })
  expect(answer.status).toBe(200)
  expect(await audited()).toBe(before)
})

test('No answer lets a page elsewhere read it', async () => {
  const headers = { origin: 'https://evil.example' }
  for (const path of [
    '/',
    '/api/v1/me',
    '/api/v1/events',
    '/auth/options',
    '/oauth/token',
    '/scim/v2/Users',
  ]) {
    const answer = await admin.go(path, { headers })
    expect([path, answer.headers.get('access-control-allow-origin')]).toEqual([path, null])
    expect([path, answer.headers.get('cross-origin-resource-policy')]).toEqual([path, 'same-origin'])
    await answer.body?.cancel()
  }
  const asked = { ...headers, 'access-control-request-method': 'PUT' }
  const preflight = await admin.go('/api/v1/groups', { method: 'OPTIONS', headers: asked })
  expect(preflight.ok).toBe(false)
  expect(preflight.headers.get('access-control-allow-methods')).toBeNull()
})

test('What somebody was told is kept by no cache', async () => {
  for (const path of ['/api/v1/me', '/api/v1/access-requests', '/api/v1/groups', '/api/v1/nothing'])
    expect([path, (await admin.go(path)).headers.get('cache-control')]).toEqual([path, 'private, no-store'])
})
