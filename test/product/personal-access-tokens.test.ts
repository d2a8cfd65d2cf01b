import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { rows } from '../../db/client.ts'
import type { Me } from '../../domain/directory.ts'
import type { NewPersonalAccessToken, PersonalAccessToken } from '../../domain/personal-access-token.ts'
import { expectRefusal } from '../setup/api.ts'
import { callerOf, startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let product: TestProduct
let [admin, alice, bob]: Caller[] = []
const path = '/personal-access-tokens'
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()

beforeAll(async () => {
  product = await startTestProduct()
  ;[admin, alice, bob] = await Promise.all([product.as('admin'), product.as('alice'), product.as('bob')])
})
afterAll(() => product.close())

const known = (caller: Caller | undefined): Caller => caller ?? expect.unreachable()

async function make(owner: Caller | undefined, scopes: string[]): Promise<NewPersonalAccessToken> {
  const input = { name: 'laptop', scopes, expires_at: inDays(30) }
  const { status, body } = await known(owner).call<NewPersonalAccessToken>('POST', path, input)
  expect(status).toBe(201)
  return body
}

const by = ({ token }: { token: string }): Caller['call'] => callerOf(product.url, token)

test('A token calls the API for the person who made it, and its value is answered once', async () => {
  const made = await make(alice, ['read'])
  expect(made).toMatchObject({ name: 'laptop', scopes: ['read'], last_used_at: null })
  expect(made.token).toMatch(/^hpp_[\w-]{43}_[\w-]{6}$/)
  const { body: me } = await by(made)<Me>('GET', '/me')
  expect(me.email).toBe('alice@example.com')
  expect(me.session).toEqual({ via: 'personal_access_token', expires_at: made.expires_at })

  const { body: listed } = await known(alice).call<{ data: PersonalAccessToken[] }>('GET', path)
  expect(listed.data).toMatchObject([{ id: made.id, last_used_at: expect.any(String) }])
  expect(JSON.stringify(listed)).not.toContain(made.token)
  const [row] = await rows<{ dump: string }>(product.sql`
    select string_agg(t::text, ' ') as dump from (select * from personal_access_tokens) t`)
  expect(row?.dump).not.toContain(made.token)
})

test('The same call twice is one token, under the value of the second answer', async () => {
  const key = { 'idempotency-key': crypto.randomUUID() }
  const input = { name: 'retried', scopes: ['read'], expires_at: inDays(1) }
  const call = () => known(bob).call<NewPersonalAccessToken>('POST', path, input, key)
  const [first, second] = [await call(), await call()]
  expect(second.body.id).toBe(first.body.id)
  expect((await by(first.body)('GET', '/me')).status).toBe(401)
  expect((await by(second.body)('GET', '/me')).status).toBe(200)
})

describe('Nothing but a good token opens anything', () => {
  test('a removed one, an expired one, and those of somebody who was disabled', async () => {
    const [removed, expired] = [await make(alice, ['read']), await make(alice, ['read'])]
    expect((await known(alice).call('DELETE', `${path}/${removed.id}`)).status).toBe(204)
    await product.sql`update personal_access_tokens set expires_at = clock_timestamp() where id = ${expired.id}`
    for (const token of [removed, expired])
      expectRefusal(await by(token)('GET', '/me'), 401, 'unauthenticated')

    const dana = await product.as('dana')
    const hers = await make(dana, ['read'])
    await known(admin).call('PATCH', `/identities/${dana.id}`, { status: 'disabled' })
    expectRefusal(await by(hers)('GET', '/me'), 401, 'unauthenticated')
    await known(admin).call('PATCH', `/identities/${dana.id}`, { status: 'active' })
    expectRefusal(await by(hers)('GET', '/me'), 401, 'unauthenticated')
  })

  test('one with a wrong checksum or another shape, whatever the database holds', async () => {
    const { token } = await make(alice, ['read'])
    const flipped = token.slice(0, -1) + (token.endsWith('A') ? 'g' : 'A')
    const wrong = [flipped, token.slice(0, -1), `${token}x`, token.replace('hpp_', 'hps_'), 'hpp_', 'hpp_x_y']
    for (const bad of [...wrong, `hpp_${'x'.repeat(9_000)}`, token.toUpperCase()])
      expectRefusal(await callerOf(product.url, bad)('GET', '/me'), 401, 'unauthenticated')
  })

  test('one in the query, or beside a session', async () => {
    const { token } = await make(alice, ['read'])
    const answer = await fetch(`${product.url}/api/v1/me?access_token=${token}`)
    expect(answer.status).toBe(401)
    const headers = { authorization: `Bearer ${token}`, cookie: 'hallpass_session=x' }
    expect((await fetch(`${product.url}/api/v1/me`, { headers })).status).toBe(401)
  })
})

describe('A token does what its scopes say', () => {
  const comment = { comment: 'because' }

  test('read reads, and writes nothing', async () => {
    const token = by(await make(admin, ['read']))
    expect((await token('GET', '/identities')).status).toBe(200)
    for (const [method, path] of [
      ['POST', '/access-requests'],
      ['POST', '/groups'],
      ['PATCH', `/identities/${known(alice).id}`],
      ['POST', `/access-requests/${crypto.randomUUID()}/approve`],
      ['DELETE', `/groups/${crypto.randomUUID()}`],
      ['POST', '/somewhere/else'],
    ] as const)
      expectRefusal(await token(method, path, {}), 403, 'forbidden')
  })

  test('request asks, speaks and takes back what is its own, and reads nothing', async () => {
    const token = { ...known(alice), call: by(await make(alice, ['request'])) }
    const { id } = await submit(token, (await product.template()).id)
    expectRefusal(await token.call('GET', `/access-requests/${id}`), 403, 'forbidden')
    const message = await token.call('POST', `/access-requests/${id}/messages`, { body: 'please' })
    expect(message.status).toBe(201)
    expectRefusal(await token.call('POST', `/access-requests/${id}/approve`), 403, 'forbidden')
    expect((await token.call('POST', `/access-requests/${id}/revoke`)).status).toBe(200)
  })

  test('request does not revoke what belongs to somebody else, decide does', async () => {
    const { id } = await submit(known(alice), (await product.template()).id)
    const asker = by(await make(bob, ['read', 'request']))
    const refusal = await asker('POST', `/access-requests/${id}/revoke`, comment)
    expectRefusal(refusal, 403, 'forbidden')
    expect(refusal.body['detail']).toContain('decide')
    expectRefusal(await asker('POST', `/access-requests/nobody/revoke`, comment), 403, 'forbidden')
    const decider = by(await make(bob, ['decide']))
    expect((await decider('POST', `/access-requests/${id}/approve`, comment)).status).toBe(200)
    expect((await decider('POST', `/access-requests/${id}/revoke`, comment)).status).toBe(200)
    expectRefusal(await decider('POST', '/access-requests', {}), 403, 'forbidden')
  })

  test('admin writes all else, and only what its owner may', async () => {
    const group = { name: `by a token ${crypto.randomUUID()}` }
    expect((await by(await make(admin, ['admin']))('POST', '/groups', group)).status).toBe(201)
    expectRefusal(await by(await make(alice, ['admin']))('POST', '/groups', group), 403, 'forbidden')
  })

  test('no scope makes a credential, whoever holds it', async () => {
    const token = by(await make(admin, ['read', 'request', 'decide', 'token', 'admin']))
    const input = { name: 'more', scopes: ['read'], expires_at: inDays(1) }
    expectRefusal(await token('POST', path, input), 403, 'forbidden')
    for (const path of ['/scim-tokens', '/signing-keys/rotate', '/sign-in-providers'])
      expectRefusal(await token('POST', path, {}), 403, 'forbidden')
    const credentials = `/identities/${known(alice).id}/credentials`
    expectRefusal(await token('POST', credentials, { type: 'client_secret' }), 403, 'forbidden')
  })

  test('an odd spelling of a path is no way around', async () => {
    const token = by(await make(bob, ['request']))
    const { id } = await submit(known(alice), (await product.template()).id)
    for (const odd of [
      `/access-requests/${id}/%61pprove`,
      `/access-requests/${id}/approve/`,
      `//access-requests/${id}/approve`,
      `/access-requests/${id}/messages/../approve`,
      `/access-requests/${id}%2fapprove`,
    ])
      expect([403, 404]).toContain((await token('POST', odd, {})).status)
    const { body } = await known(alice).call('GET', `/access-requests/${id}`)
    expect(body['status']).toBe('pending')
  })
})

describe('A token is refused', () => {
  const input = { name: 'laptop', scopes: ['read'], expires_at: inDays(30) }

  test.each([
    ['without an end', { ...input, expires_at: undefined }, '/expires_at'],
    ['that ended', { ...input, expires_at: '2020-01-01T00:00:00Z' }, '/expires_at'],
    ['that lasts more than a year', { ...input, expires_at: inDays(368) }, '/expires_at'],
    ['without a scope', { ...input, scopes: [] }, '/scopes'],
    ['with one scope twice', { ...input, scopes: ['read', 'read'] }, '/scopes'],
    ['with a scope that is none', { ...input, scopes: ['root'] }, '/scopes/0'],
    ['without a name', { ...input, name: ' ' }, '/name'],
    ['for somebody else', { ...input, identity_id: crypto.randomUUID() }, '/identity_id'],
  ])('%s', async (_, body, pointer) => {
    expectRefusal(await known(alice).call('POST', path, body), 422, 'invalid_request', pointer)
  })

  test('to a machine', async () => {
    const bot = await product.as('ci-bot')
    expectRefusal(await bot.call('POST', path, input), 403, 'forbidden')
  })

  test('to whoever would remove that of another', async () => {
    const { id, ...hers } = await make(alice, ['read'])
    expectRefusal(await known(admin).call('DELETE', `${path}/${id}`), 404, 'not_found')
    expect((await by(hers)('GET', '/me')).status).toBe(200)
    const { body } = await known(admin).call<{ data: { id: string }[] }>('GET', path)
    expect(body.data.map((token) => token.id)).not.toContain(id)
  })
})

test('Making and removing are written down, without the value', async () => {
  const made = await make(bob, ['read', 'decide'])
  await known(bob).call('DELETE', `${path}/${made.id}`)
  const events = await rows<{ kind: string; actor_email: string; detail: object }>(product.sql`
    select kind, actor_email, detail from audit_events where object_id = ${made.id} order by seq`)
  expect(events.map(({ kind }) => kind)).toEqual([
    'personal_access_token.created',
    'personal_access_token.deleted',
  ])
  expect(events[0]).toMatchObject({ actor_email: 'bob@example.com', detail: { scopes: ['read', 'decide'] } })
  expect(JSON.stringify(events)).not.toContain(made.token)
})
