import { generateKeyPairSync, randomUUID } from 'node:crypto'

import { exportJWK, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { getRow } from '../../../db/client.ts'
import { exchange, requestText } from '../raw-http.ts'
import { nowSeconds } from './issuer.ts'
import { basic, expectOAuthError, formOf, startMachines, tokenEventsOf } from './machines.ts'
import type { Machine, Machines, OAuthAnswer } from './machines.ts'

type Fields = { [key: string]: unknown }

let it: Machines
let machine: Awaited<ReturnType<Machines['addMachine']>>

beforeAll(async () => {
  it = await startMachines()
  machine = await it.addMachine()
})
afterAll(() => it.product.close())

const grant = { grant_type: 'client_credentials' }
const ask = (fields: Fields | string, headers: Record<string, string> = {}) =>
  it.post('/token', fields, headers)
const encode = (text: string) => Buffer.from(text).toString('base64')

const countEvents = async () =>
  (
    await getRow<{ count: number }>(
      it.product.sql`select count(*)::int from audit_events where kind = 'token.refused'`,
    )
  ).count

describe('a request for a token is refused', () => {
  const requests: [string, () => Promise<OAuthAnswer>, number, string][] = [
    ['without a grant type', () => ask({}, basic(machine)), 400, 'invalid_request'],
    ['with an empty grant type', () => ask({ grant_type: '' }, basic(machine)), 400, 'invalid_request'],
    ['for passwords', () => ask({ grant_type: 'password' }, basic(machine)), 400, 'unsupported_grant_type'],
    [
      'for codes',
      () => ask({ grant_type: 'authorization_code' }, basic(machine)),
      400,
      'unsupported_grant_type',
    ],
    ['to refresh', () => ask({ grant_type: 'refresh_token' }, basic(machine)), 400, 'unsupported_grant_type'],
    [
      'for a member of all objects',
      () => ask({ grant_type: '__proto__' }, basic(machine)),
      400,
      'unsupported_grant_type',
    ],
    [
      'with a parameter twice',
      () => ask({ grant_type: ['client_credentials', 'client_credentials'] }, basic(machine)),
      400,
      'invalid_request',
    ],
    [
      'with an unknown parameter twice',
      () => ask({ ...grant, x: [1, 2] }, basic(machine)),
      400,
      'invalid_request',
    ],
    [
      'for two applications',
      () => ask({ ...grant, resource: ['a', 'b'] }, basic(machine)),
      400,
      'invalid_request',
    ],
    ['with a scope', () => ask({ ...grant, scope: 'admin' }, basic(machine)), 400, 'invalid_scope'],
    [
      'for an audience',
      () => ask({ ...grant, audience: 'internal-db' }, basic(machine)),
      400,
      'invalid_target',
    ],
    [
      'for an unknown application',
      () => ask({ ...grant, resource: 'nothing' }, basic(machine)),
      400,
      'invalid_target',
    ],
    [
      'for an application by its URL',
      () => ask({ ...grant, resource: 'https://x.test' }, basic(machine)),
      400,
      'invalid_target',
    ],
    ['for SQL', () => ask({ ...grant, resource: `' or true --` }, basic(machine)), 400, 'invalid_target'],
    [
      'for nothing with a NUL',
      () => ask({ ...grant, resource: 'a\0' }, basic(machine)),
      400,
      'invalid_target',
    ],
    [
      'in JSON',
      () => ask(JSON.stringify(grant), { 'content-type': 'application/json', ...basic(machine) }),
      400,
      'invalid_request',
    ],
    [
      'in no type',
      () => ask(formOf(grant), { 'content-type': '', ...basic(machine) }),
      400,
      'invalid_request',
    ],
    [
      'in parts',
      () => ask(formOf(grant), { 'content-type': 'multipart/form-data', ...basic(machine) }),
      400,
      'invalid_request',
    ],
    [
      'that is packed',
      () => ask(formOf(grant), { 'content-encoding': 'gzip', ...basic(machine) }),
      400,
      'invalid_request',
    ],
    ['in its URL', () => it.post(`/token?${formOf(grant)}`, '', basic(machine)), 400, 'invalid_request'],
    [
      'with its secret in its URL',
      () => it.post(`/token?client_secret=${machine.secret}`, { ...grant, client_id: machine.id }),
      400,
      'invalid_request',
    ],
    [
      'that is too long',
      () => ask({ ...grant, x: 'x'.repeat(70_000) }, basic(machine)),
      413,
      'invalid_request',
    ],
  ]
  test.each(requests)('%s', async (_, send, status, error) => {
    const before = await countEvents()
    expectOAuthError(await send(), status, error)
    expect(await countEvents()).toBe(before + 1)
  })

  test.each(['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('by %s', async (method) => {
    const response = await fetch(`${it.product.url}/oauth/token`, { method })
    expect([response.status, response.headers.get('allow'), await response.json()]).toMatchObject([
      405,
      'POST',
      { error: 'invalid_request' },
    ])
  })

  test('that does not say how long it is, once it is too long', async () => {
    const chunk = `${(8_192).toString(16)}\r\n${'x'.repeat(8_192)}\r\n`
    const head = requestText('POST', '/oauth/token', {
      'content-type': 'application/x-www-form-urlencoded',
      'transfer-encoding': 'chunked',
    })
    const answer = await exchange(it.product.url, [
      head,
      ...Array.from({ length: 12 }, () => chunk),
      '0\r\n\r\n',
    ])
    expect([answer.status, answer.body]).toMatchObject([413, { error: 'invalid_request' }])
  })
})

describe('a client is not who it says it is', () => {
  const shown: [string, () => [Fields, Record<string, string>?]][] = [
    ['with another secret', () => [grant, basic({ ...machine, secret: `${machine.secret}x` })]],
    ['with a part of its secret', () => [grant, basic({ ...machine, secret: machine.secret.slice(0, -1) })]],
    ['with no secret', () => [grant, basic({ ...machine, secret: '' })]],
    ['with nothing', () => [{ ...grant, client_id: machine.id }]],
    ['with an unknown id', () => [grant, basic({ ...machine, id: randomUUID() })]],
    ['with an e-mail for an id', () => [grant, basic({ ...machine, id: 'alice@example.com' })]],
    ['with SQL for an id', () => [grant, basic({ ...machine, id: `' or true --` })]],
    ['with half of an answer', () => [grant, { authorization: `Basic ${encode(machine.id)}` }]],
    ['with what is no base64', () => [grant, { authorization: 'Basic ÿÿ%%' }]],
    ['with a broken escape', () => [grant, { authorization: `Basic ${encode('%zz:%zz')}` }]],
    ['with the hash of its secret', () => [grant, basic({ ...machine, secret: 'a'.repeat(64) })]],
    ['under another scheme', () => [grant, { authorization: `Bearer ${machine.secret}` }]],
    ['under two names', () => [{ ...grant, client_id: randomUUID() }, basic(machine)]],
  ]
  test.each(shown)('%s', async (_, request) => {
    const answer = await ask(...request())
    expectOAuthError(answer, 401, 'invalid_client')
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /)
  })

  test('and is told nothing of what was wrong', async () => {
    const answers = await Promise.all(shown.map(([, request]) => ask(...request())))
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1)
  })

  test('in two ways at once, though both are good', async () => {
    const post = { client_id: machine.id, client_secret: machine.secret }
    expectOAuthError(await ask({ ...grant, ...post }, basic(machine)), 400, 'invalid_request')
    const assertion = { client_assertion: 'x.y.z', client_assertion_type: assertionType }
    expectOAuthError(await ask({ ...grant, ...post, ...assertion }), 400, 'invalid_request')
    expectOAuthError(await ask({ ...grant, ...assertion }, basic(machine)), 400, 'invalid_request')
  })

  test('by the secret of another machine', async () => {
    const other = await it.addMachine()
    expectOAuthError(await ask(grant, basic({ id: other.id, secret: machine.secret })), 401, 'invalid_client')
    expect(await tokenEventsOf(it, other.id)).toMatchObject([
      {
        kind: 'token.refused',
        object_id: other.id,
        detail: {
          endpoint: 'token',
          grant_type: 'client_credentials',
          error: 'invalid_client',
          reason: 'wrong_secret',
        },
      },
    ])
  })

  test('once its credential has gone, or has ended', async () => {
    const one = await it.addMachine()
    await it.product
      .sql`update credentials set expires_at = now() + interval '0.9 seconds' where identity_id = ${one.id}`
    expectOAuthError(await ask(grant, basic(one)), 401, 'invalid_client')
    await it.product
      .sql`update credentials set expires_at = now() + interval '30 seconds' where identity_id = ${one.id}`
    const { body } = await ask(grant, basic(one))
    expect(body['expires_in']).toBeLessThanOrEqual(30)
    await it.product.sql`delete from credentials where identity_id = ${one.id}`
    expectOAuthError(await ask(grant, basic(one)), 401, 'invalid_client')
  })

  test('once it is disabled, or has ended', async () => {
    const one = await it.addMachine()
    await it.product
      .sql`update identities set expires_at = now() + interval '20 seconds' where id = ${one.id}`
    expect((await ask(grant, basic(one))).body['expires_in']).toBeLessThanOrEqual(20)
    await it.product.sql`update identities set expires_at = now() where id = ${one.id}`
    expectOAuthError(await ask(grant, basic(one)), 401, 'invalid_client')
    await it.product.sql`update identities set expires_at = null, status = 'disabled' where id = ${one.id}`
    expectOAuthError(await ask(grant, basic(one)), 401, 'invalid_client')
  })

  test('and no secret that was shown is on record', async () => {
    const { found } = await getRow<{ found: boolean }>(it.product.sql`
      select exists (select from audit_events where detail::text like ${`%${machine.secret}%`}) as found`)
    expect(found).toBe(false)
  })
})

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

describe('an assertion is refused', () => {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const others = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  let client: Machine

  beforeAll(async () => {
    client = await it.addMachine()
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'mine' }
    await it.addCredential(client.id, { type: 'public_key', jwk })
  })

  const usual = (): Fields => ({
    iss: client.id,
    sub: client.id,
    aud: it.product.url,
    jti: randomUUID(),
    iat: nowSeconds(),
    exp: nowSeconds() + 60,
  })
  const sign = (
    claims: Fields = {},
    header: Fields = {},
    key: Parameters<SignJWT['sign']>[0] = keys.privateKey,
  ) =>
    new SignJWT({ ...usual(), ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'mine', ...header })
      .sign(key)
  const show = (client_assertion: string, fields: Fields = {}) =>
    ask({ ...grant, client_assertion_type: assertionType, client_assertion, ...fields })

  test('but not if it is as it should be, for the issuer or its token endpoint', async () => {
    const endpoint = `${it.product.url}/oauth/token`
    for (const [claims, header] of [
      [{}],
      [{ aud: endpoint }],
      [{}, { kid: undefined }],
      [{}, { typ: 'JWT' }],
    ] as Fields[][])
      expect((await show(await sign(claims, header))).status).toBe(200)
  })

  test.each<[string, () => Fields]>([
    ['of another issuer', () => ({ iss: machine.id })],
    ['of another subject', () => ({ sub: machine.id })],
    ['of nobody', () => ({ iss: undefined, sub: undefined })],
    ['for another audience', () => ({ aud: 'https://other.test' })],
    ['for an audience that looks alike', () => ({ aud: `${it.product.url}/` })],
    ['for a list of audiences', () => ({ aud: [it.product.url] })],
    ['for no audience', () => ({ aud: undefined })],
    ['for another endpoint', () => ({ aud: `${it.product.url}/oauth/introspect` })],
    ['that never ends', () => ({ exp: undefined })],
    ['that has ended', () => ({ exp: nowSeconds() - 1 })],
    ['that lives longer than five minutes', () => ({ exp: nowSeconds() + 330 })],
    ['that lives for ever', () => ({ exp: 1e300 })],
    ['whose end is text', () => ({ exp: String(nowSeconds() + 60) })],
    ['that is not valid yet', () => ({ nbf: nowSeconds() + 60 })],
    ['without an id', () => ({ jti: undefined })],
    ['with an empty id', () => ({ jti: '' })],
    ['with an endless id', () => ({ jti: 'x'.repeat(256) })],
  ])('%s', async (_, claims) => {
    expectOAuthError(await show(await sign(claims())), 401, 'invalid_client')
  })

  test('that another key has signed, whichever it brings along or names', async () => {
    const jwk = await exportJWK(others.publicKey)
    for (const header of [
      {},
      { kid: undefined },
      { jwk },
      { kid: 'other' },
      { jku: 'https://evil.test' },
      { kid: 5 },
    ])
      expectOAuthError(await show(await sign({}, header, others.privateKey)), 401, 'invalid_client')
  })

  test('that is signed by no key, or by the public one as a secret', async () => {
    const [, claims] = (await sign()).split('.')
    const none = Buffer.from(JSON.stringify({ alg: 'none', kid: 'mine' })).toString('base64url')
    for (const text of [`${none}.${claims}.`, `${none}.${claims}.AA`, claims ?? '', 'x', '..', 'a.b.c'])
      expectOAuthError(await show(text), 401, 'invalid_client')
    const secret = new TextEncoder().encode(JSON.stringify(await exportJWK(keys.publicKey)).padEnd(64))
    expectOAuthError(await show(await sign({}, { alg: 'HS256' }, secret)), 401, 'invalid_client')
  })

  test('of another type, or one that asks for what is not known here', async () => {
    for (const typ of ['at+jwt', 'dpop+jwt', 'id+jwt', 5])
      expectOAuthError(await show(await sign({}, { typ })), 401, 'invalid_client')
  })

  test('that says something twice', async () => {
    const twice = JSON.stringify(usual()).replace('{', `{"sub":"${machine.id}",`)
    const parts = [JSON.stringify({ alg: 'ES256', kid: 'mine' }), twice].map((part) =>
      Buffer.from(part).toString('base64url'),
    )
    const { CompactSign } = await import('jose')
    const signed = await new CompactSign(new TextEncoder().encode(twice))
      .setProtectedHeader({ alg: 'ES256', kid: 'mine' })
      .sign(keys.privateKey)
    expect(signed.split('.')[1]).toBe(parts[1])
    expectOAuthError(await show(signed), 401, 'invalid_client')
  })

  test('the second time, to whichever process and however many show it at once', async () => {
    const assertion = await sign()
    const answers = await Promise.all(Array.from({ length: 10 }, () => show(assertion)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expectOAuthError(await show(assertion), 401, 'invalid_client')
  })

  test('that is endless, of no type, or another client’s', async () => {
    expectOAuthError(await show(await sign({ x: 'x'.repeat(9_000) })), 401, 'invalid_client')
    expectOAuthError(await show(await sign(), { client_assertion_type: 'x' }), 400, 'invalid_request')
    expectOAuthError(await show(await sign(), { client_id: machine.id }), 401, 'invalid_client')
  })

  test('once its key has gone', async () => {
    await it.product
      .sql`update credentials set expires_at = now() where identity_id = ${client.id} and type = 'public_key'`
    expectOAuthError(await show(await sign()), 401, 'invalid_client')
  })
})
