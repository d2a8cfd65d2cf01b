import http from 'node:http'

import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { rows } from '../../db/client.ts'
import { createPersonLink } from '../../db/sign-in/links.ts'
import type { Me } from '../../domain/directory.ts'
import { createBrowser, refusalOf } from '../api/sign-in/browser.ts'
import type { Browser } from '../api/sign-in/browser.ts'
import { startTestProduct } from '../setup/product.ts'
import type { TestProduct } from '../setup/product.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let product: TestProduct
/** The same product where its people are elsewhere. */
let remote: TestProduct

beforeAll(async () => {
  product = await startTestProduct({ public_url: 'http://127.0.0.1:8080', without_worker: true })
  remote = await startTestProduct({ public_url: 'https://hallpass.example.com', without_worker: true })
})
afterAll(() => Promise.all([product.close(), remote.close()]))

async function signedIn(email = 'alice@example.com'): Promise<Browser> {
  const browser = createBrowser(product.url)
  expect((await browser.post('/auth/local', { email })).status).toBe(204)
  return browser
}

const me = async (browser: Browser) => (await (await browser.go('/api/v1/me')).json()) as Me

/** A request as no browser sends it: any Host, any peer's headers. */
function raw(path: string, headers: Record<string, string>, body?: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const request = http.request(`${product.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers,
  })
  request.on('response', (response) => resolve(response.resume().statusCode ?? 0)).on('error', reject)
  request.end(body)
  return promise
}

const eventsOf = (kind: string) =>
  rows<{ actor_email: string; detail: object }>(
    product.sql`select actor_email, detail from audit_events where kind = ${kind} order by seq desc`,
  )

test('The people of the embedded set-up are offered, and one signs in by name', async () => {
  const browser = createBrowser(product.url)
  const options = (await (await browser.go('/auth/options')).json()) as { local: { email: string }[] }
  expect(options).toMatchObject({ providers: [] })
  expect(options.local.map(({ email }) => email)).toContain('alice@example.com')
  expect(options.local.map(({ email }) => email)).not.toContain('ci-bot')

  const answer = await browser.post('/auth/local', { email: 'Alice@example.com' })
  expect(answer.status).toBe(204)
  const [cookie] = answer.headers.getSetCookie()
  expect(cookie).toMatch(/^hallpass_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)
  expect(await me(browser)).toMatchObject({ email: 'alice@example.com', session: { via: 'cookie' } })
  expect((await eventsOf('identity.signed_in'))[0]).toMatchObject({
    actor_email: 'alice@example.com',
    detail: { method: 'local' },
  })
})

test('The session writes from our own pages', async () => {
  const admin = await signedIn('admin@example.com')
  expect((await admin.post('/api/v1/groups', { name: 'by a page' })).status).toBe(201)
  const { host } = new URL(product.url)
  const by_name = { origin: `http://${host.replace('127.0.0.1', 'localhost')}` }
  expect((await admin.post('/api/v1/groups', { name: 'by another name' }, by_name)).status).toBe(403)
})

test.each([
  ['another origin', { origin: 'https://evil.example' }],
  ['the opaque origin', { origin: 'null' }],
  ['our host on another port', { origin: 'http://127.0.0.1:1' }],
  ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }],
])('A write from %s is refused, and nothing happens', async (_, headers) => {
  const admin = await signedIn('admin@example.com')
  const name = `csrf ${crypto.randomUUID()}`
  const refusal = await refusalOf(await admin.post('/api/v1/groups', { name }, headers))
  expect(refusal).toEqual({ status: 403, code: 'forbidden' })
  expect(await rows(product.sql`select id from groups where name = ${name}`)).toEqual([])
})

test('A write that does not say where it comes from is refused; one that the browser vouches for is not', async () => {
  const admin = await signedIn('admin@example.com')
  const init = { method: 'POST', body: '{"name": "vouched"}' }
  const json = { 'content-type': 'application/json' }
  expect((await admin.go('/api/v1/groups', { ...init, headers: json })).status).toBe(403)
  const crossed = { ...json, 'sec-fetch-site': 'cross-site' }
  expect((await admin.go('/api/v1/groups', { ...init, headers: crossed })).status).toBe(403)
  const vouched = { ...json, 'sec-fetch-site': 'same-origin' }
  expect((await admin.go('/api/v1/groups', { ...init, headers: vouched })).status).toBe(201)
})

test('Nobody is signed in, or out, by a page elsewhere', async () => {
  const browser = createBrowser(product.url)
  const evil = { origin: 'https://evil.example' }
  expect((await browser.post('/auth/local', { email: 'alice@example.com' }, evil)).status).toBe(403)
  expect(browser.cookies.size).toBe(0)
  const alice = await signedIn()
  expect((await alice.post('/auth/sign-out', {}, evil)).status).toBe(403)
  expect((await alice.go('/api/v1/me')).status).toBe(200)
})

test('A name that was made to point at this machine signs nobody in', async () => {
  const body = '{"email": "alice@example.com"}'
  const type = { 'content-type': 'application/json' }
  const rebound = { ...type, host: 'evil.example:8080', origin: 'http://evil.example:8080' }
  expect(await raw('/auth/local', rebound, body)).toBe(403)
  expect(await raw('/auth/local', { ...rebound, origin: 'http://127.0.0.1:8080' }, body)).toBe(404)
})

test('What a proxy hands on is not local', async () => {
  const { origin } = new URL(product.url)
  const headers = { 'content-type': 'application/json', origin, 'x-forwarded-for': '203.0.113.9' }
  expect(await raw('/auth/local', headers, '{"email": "alice@example.com"}')).toBe(404)
})

test.each([['nobody@example.com'], ['ci-bot'], ['']])('%j does not sign in', async (email) => {
  const answer = await createBrowser(product.url).post('/auth/local', { email })
  expect(await refusalOf(answer)).toEqual({ status: 401, code: 'unauthenticated' })
})

test('Where people come from elsewhere there is no local sign-in', async () => {
  const browser = createBrowser(remote.url)
  expect(await (await browser.go('/auth/options')).json()).toEqual({ providers: [], local: null })
  const origin = { origin: 'https://hallpass.example.com' }
  const answer = await browser.post('/auth/local', { email: 'alice@example.com' }, origin)
  expect(await refusalOf(answer)).toEqual({ status: 404, code: 'not_found' })
})

test('By https the cookie is one that no other host of the domain can set, and no other one counts', async () => {
  const code = (await createPersonLink(remote.sql, 'alice@example.com')) ?? ''
  const browser = createBrowser(remote.url)
  const answer = await browser.post('/auth/link', { code }, { origin: 'https://hallpass.example.com' })
  const [cookie = ''] = answer.headers.getSetCookie()
  expect(cookie).toMatch(/^__Host-hallpass_session=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  expect(await me(browser)).toMatchObject({ email: 'alice@example.com' })
  const [pair = ''] = cookie.split(';')
  const plain = { cookie: pair.replace('__Host-', '') }
  expect((await fetch(`${remote.url}/api/v1/me`, { headers: plain })).status).toBe(401)
})

test('Signing out ends the session, also for whoever kept its cookie', async () => {
  const alice = await signedIn()
  const kept = [...alice.cookies]
  expect((await alice.post('/auth/sign-out')).status).toBe(204)
  expect(alice.cookies.size).toBe(0)
  for (const [key, value] of kept) alice.cookies.set(key, value)
  expect(await refusalOf(await alice.go('/api/v1/me'))).toEqual({ status: 401, code: 'unauthenticated' })
  expect((await eventsOf('identity.signed_out'))[0]).toMatchObject({ actor_email: 'alice@example.com' })
  expect((await alice.post('/auth/sign-out')).status).toBe(204)
})

test('Signing in again begins another session and ends the one before', async () => {
  const alice = await signedIn()
  const first = [...alice.cookies.values()]
  expect((await alice.post('/auth/local', { email: 'bob@example.com' })).status).toBe(204)
  expect([...alice.cookies.values()]).not.toEqual(first)
  expect(await me(alice)).toMatchObject({ email: 'bob@example.com' })
  const before = await fetch(`${product.url}/api/v1/me`, {
    headers: { cookie: `hallpass_session=${first[0]}` },
  })
  expect(before.status).toBe(401)
})

test('A session ends after two hours without a call, and after twelve in any case', async () => {
  const [idle, old] = [await signedIn(), await signedIn('bob@example.com')]
  const tokens = await rows<{ id: string; email: string }>(product.sql`
    select s.id, i.email from sessions s join identities i on i.id = s.identity_id order by s.id desc limit 2`)
  const idOf = (email: string) => tokens.find((token) => token.email === email)?.id ?? ''
  await product.sql`update sessions set last_seen_at = clock_timestamp() - interval '121 minutes'
    where id = ${idOf('alice@example.com')}`
  await product.sql`update sessions set expires_at = clock_timestamp() where id = ${idOf('bob@example.com')}`
  expect((await idle.go('/api/v1/me')).status).toBe(401)
  expect((await old.go('/api/v1/me')).status).toBe(401)
})

test('A session that is used goes on, and the database is told once a minute at most', async () => {
  const alice = await signedIn()
  const seen = async () =>
    (
      await rows<{ id: string; last_seen_at: string; xmin: string }>(product.sql`
      select id, last_seen_at, xmin::text from sessions order by id desc limit 1`)
    )[0]
  const before = await seen()
  await alice.go('/api/v1/me')
  expect(await seen()).toEqual(before)
  await product.sql`update sessions set last_seen_at = clock_timestamp() - interval '119 minutes'
    where id = ${before?.id ?? ''}`
  expect((await alice.go('/api/v1/me')).status).toBe(200)
  expect(Date.parse((await seen())?.last_seen_at ?? '')).toBeGreaterThan(Date.now() - 60_000)
})

test('Disabling somebody ends their sessions at once, and enabling them brings none back', async () => {
  const admin = await signedIn('admin@example.com')
  const carol = await signedIn('carol@example.com')
  const { id } = await me(carol)
  const patch = (status: string) =>
    admin.go(`/api/v1/identities/${id}`, {
      method: 'PATCH',
      body: JSON.stringify({ status }),
      headers: { 'content-type': 'application/json', origin: product.url },
    })
  expect((await patch('disabled')).status).toBe(200)
  expect((await carol.go('/api/v1/me')).status).toBe(401)
  expect(await rows(product.sql`select id from sessions where identity_id = ${id}`)).toEqual([])
  expect((await createBrowser(product.url).post('/auth/local', { email: 'carol@example.com' })).status).toBe(
    401,
  )
  expect((await patch('active')).status).toBe(200)
  expect((await carol.go('/api/v1/me')).status).toBe(401)
})

test('One credential a call: a token beside a session, or two cookies, are refused', async () => {
  const alice = await signedIn()
  const both = await alice.go('/api/v1/me', { headers: { authorization: 'Bearer x' } })
  expect(await refusalOf(both)).toEqual({ status: 401, code: 'unauthenticated' })
  const [token] = [...alice.cookies.values()]
  const cookie = `hallpass_session=${token}; hallpass_session=${token}`
  expect((await fetch(`${product.url}/api/v1/me`, { headers: { cookie } })).status).toBe(401)
})

test.each([[''], ['x'], ['x'.repeat(5_000)], ['%00'], ["' or 1=1"]])(
  'The cookie %j opens nothing',
  async (value) => {
    const answer = await fetch(`${product.url}/api/v1/me`, {
      headers: { cookie: `hallpass_session=${value}` },
    })
    expect(answer.status).toBe(401)
  },
)

test('The database holds nothing that opens a session', async () => {
  const alice = await signedIn()
  const [token = ''] = [...alice.cookies.values()]
  const [row] = await rows<{ dump: string }>(
    product.sql`select string_agg(s::text, ' ') as dump from (select s::text from sessions s) s`,
  )
  expect(row?.dump).not.toContain(token)
  expect(row?.dump).not.toContain(Buffer.from(token).toString('hex'))
})
