import { generateKeyPairSync, randomUUID } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

import { exportJWK } from 'jose'
import type { JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { rows } from '../../../db/client.ts'
import type { Sql } from '../../../db/client.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import { addAdmin, addGroup, addPerson, addServiceAccount, eventsOf } from '../../setup/people.ts'

type Fields = { [key: string]: unknown }

let database: TestDatabase
let sql: Sql
let api: TestApi
let admin: string
let owner: string

beforeAll(async () => {
  database = await createTestDatabase()
  sql = database.sql
  api = await createTestApi(sql)
  admin = (await addAdmin(sql)).id
  owner = (await addPerson(sql)).id
})
afterAll(() => database.drop())

const bot = async () => (await addServiceAccount(sql, owner)).id
const pathOf = (id: string) => `/identities/${id}/credentials`
const add = (id: string, body: unknown, as = admin, headers: Record<string, string> = {}) =>
  api.call('POST', pathOf(id), { as, body, headers })

const secret = { type: 'client_secret' }
const keyOf = (type: 'ec' | 'rsa' | 'ed25519', options: Fields = {}): Promise<JWK> => {
  const all = { namedCurve: 'P-256', modulusLength: 2_048, ...options }
  const make = generateKeyPairSync as (type: string, options: Fields) => { publicKey: KeyObject }
  return exportJWK(make(type, all).publicKey)
}
const workload = (changes: Fields = {}) => ({
  type: 'federated',
  issuer: 'https://token.actions.githubusercontent.com',
  audience: 'hallpass',
  subject: `repo:acme/${randomUUID()}:ref:refs/heads/main`,
  ...changes,
})

describe('a client secret', () => {
  test('is shown once, to whoever made it, and kept as a hash', async () => {
    const id = await bot()
    const made = await add(id, secret)
    expect([made.status, made.headers.get('cache-control')]).toEqual([201, 'no-store'])
    expect(made.body).toMatchObject({
      type: 'client_secret',
      client_id: id,
      identity_id: id,
      last_used_at: null,
    })
    const value = String(made.body['client_secret'])
    expect(value).toMatch(/^hps_[\w-]{43}_[\w-]{6}$/)
    const { client_secret: _, ...rest } = made.body
    const got = await api.call('GET', made.headers.get('location')?.replace('/api/v1', '') ?? '', {
      as: admin,
    })
    expect(got.body).toEqual(rest)
    const listed = await api.call<{ data: Fields[] }>('GET', pathOf(id), { as: admin })
    expect(listed.body.data).toEqual([rest])
    const kept = await rows<{ text: string }>(sql`
      select c::text as text from credentials c union all select a::text from audit_events a
      union all select k::text from idempotency_keys k`)
    expect(kept.some(({ text }) => text.includes(value))).toBe(false)
  })

  test('is one of at most two that live: a third waits until one has gone, or has ended', async () => {
    const id = await bot()
    const [first] = [await add(id, secret), await add(id, secret)]
    expectRefusal(await add(id, secret), 409, 'in_use')
    await api.call('DELETE', `${pathOf(id)}/${String(first.body['id'])}`, { as: admin })
    expect((await add(id, secret)).status).toBe(201)
    await sql`update credentials set expires_at = now() - interval '1 second' where identity_id = ${id}`
    expect((await add(id, secret)).status).toBe(201)
  })

  test('is one of two however many ask at once', async () => {
    const id = await bot()
    const answers = await Promise.all(Array.from({ length: 8 }, () => add(id, secret)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2)
    for (const answer of answers.filter(({ status }) => status !== 201)) expectRefusal(answer, 409, 'in_use')
  })

  test('whose answer was lost is made anew by the repeat, in its place', async () => {
    const id = await bot()
    const key = { 'idempotency-key': randomUUID() }
    const [first, again] = [await add(id, secret, admin, key), await add(id, secret, admin, key)]
    expect([first.status, again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 201, null])
    expect(again.body['id']).toBe(first.body['id'])
    expect(again.body['client_secret']).not.toBe(first.body['client_secret'])
    const kinds = (await eventsOf(sql, String(first.body['id']))).map(({ kind }) => kind)
    expect(kinds).toEqual(['credential.created', 'credential.replaced'])
  })

  test('cannot begin with its end behind it', async () => {
    const id = await bot()
    for (const expires_at of [new Date(Date.now() - 60_000).toISOString(), '1970-01-01T00:00:00Z'])
      expectRefusal(await add(id, { ...secret, expires_at }), 422, 'invalid_request', '/expires_at')
    for (const expires_at of ['tomorrow', 5, '0001-01-01T00:00:00Z'])
      expectRefusal(await add(id, { ...secret, expires_at }), 422, 'invalid_request', '/expires_at')
  })

  test('is never the caller’s choice', async () => {
    const id = await bot()
    for (const name of [
      'client_secret',
      'secret_hash',
      'id',
      'identity_id',
      'client_id',
      'last_used_at',
      'created_by',
    ])
      expectRefusal(await add(id, { ...secret, [name]: 'x' }), 422, 'invalid_request', `/${name}`)
  })
})

describe('who may', () => {
  test('the owner may, and nobody else who does not manage the directory', async () => {
    const id = await bot()
    const made = await add(id, secret, owner)
    expect(made.status).toBe(201)
    const one = `${pathOf(id)}/${String(made.body['id'])}`
    const other = (await addPerson(sql)).id
    for (const as of [other, id]) {
      expectRefusal(await add(id, secret, as), 403, 'forbidden')
      expectRefusal(await api.call('GET', pathOf(id), { as }), 403, 'forbidden')
      expectRefusal(await api.call('GET', one, { as }), 403, 'forbidden')
      expectRefusal(await api.call('DELETE', one, { as }), 403, 'forbidden')
    }
    expect((await api.call('DELETE', one, { as: owner })).status).toBe(204)
    expectRefusal(await api.call('DELETE', one, { as: owner }), 404, 'not_found')
    expect(
      (await eventsOf(sql, String(made.body['id']))).map(({ kind, actor_id }) => [kind, actor_id]),
    ).toEqual([
      ['credential.created', owner],
      ['credential.deleted', owner],
    ])
  })

  test('whoever manages the directory makes none for a machine that holds more than they do', async () => {
    const manager = (await addPerson(sql)).id
    await addGroup(sql, [{ id: manager }], { permissions: ['directory.manage'] })
    const [plain, mighty] = [await bot(), await bot()]
    await addGroup(sql, [{ id: mighty }], { permissions: ['access_requests.manage'] })
    expect((await add(plain, secret, manager)).status).toBe(201)
    expectRefusal(await add(mighty, secret, manager), 403, 'forbidden')
  })

  test('a person has none, and a machine that has one does not become a person', async () => {
    const person = (await addPerson(sql)).id
    expectRefusal(await add(person, secret), 422, 'invalid_request')
    const id = await bot()
    const made = await add(id, secret)
    const human = { kind: 'human', email: `${id}@example.com`, owner_id: null }
    const patch = () => api.call('PATCH', `/identities/${id}`, { as: admin, body: human })
    expectRefusal(await patch(), 409, 'in_use')
    await api.call('DELETE', `${pathOf(id)}/${String(made.body['id'])}`, { as: admin })
    expect((await patch()).status).toBe(200)
    expectRefusal(await add(id, secret), 422, 'invalid_request')
  })

  test('nobody finds the credential of one machine at another, or at none', async () => {
    const [id, other] = [await bot(), await bot()]
    const made = await add(id, secret)
    for (const place of [
      `${pathOf(other)}/${String(made.body['id'])}`,
      `${pathOf(id)}/${randomUUID()}`,
      `${pathOf(id)}/x`,
    ])
      for (const method of ['GET', 'DELETE'])
        expectRefusal(await api.call(method, place, { as: admin }), 404, 'not_found')
    expectRefusal(await add(randomUUID(), secret), 404, 'not_found')
  })
})

describe('a public key', () => {
  test.each([
    ['ES256', 'ec'],
    ['RS256', 'rsa'],
    ['Ed25519', 'ed25519'],
  ] as const)('of %s is kept with its name, and without what else was said of it', async (_, type) => {
    const id = await bot()
    const jwk = await keyOf(type)
    const made = await add(id, {
      type: 'public_key',
      jwk: { ...jwk, kid: 'one', use: 'sig', key_ops: ['verify'] },
    })
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({ type: 'public_key', kid: 'one', jwk })
    expect(made.headers.get('cache-control')).toBe('private, no-store')
    expectRefusal(
      await add(id, { type: 'public_key', jwk: { ...(await keyOf(type)), kid: 'one' } }),
      409,
      'name_taken',
    )
    const unnamed = await add(id, { type: 'public_key', jwk })
    expect(unnamed.body['kid']).toMatch(/^[\w-]{43}$/)
  })

  const refused: [string, () => Promise<JWK> | Partial<JWK>][] = [
    ['that is private', () => exportJWK(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)],
    [
      'of RSA that is private',
      () => exportJWK(generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey),
    ],
    ['of RSA with 1024 bits', () => keyOf('rsa', { modulusLength: 1_024 })],
    [
      'of RSA with 2040 bits',
      async () => {
        const { n = '', ...jwk } = await keyOf('rsa', { modulusLength: 2_040 })
        return {
          ...jwk,
          n: Buffer.concat([Buffer.alloc(1), Buffer.from(n, 'base64url')]).toString('base64url'),
        }
      },
    ],
    ['of RSA whose exponent is one', async () => ({ ...(await keyOf('rsa')), e: 'AQ' })],
    ['of another curve', () => keyOf('ec', { namedCurve: 'P-384' })],
    ['that is no point of its curve', async () => ({ ...(await keyOf('ec')), y: 'A'.repeat(43) })],
    ['that is a secret', () => ({ kty: 'oct', k: 'c2VjcmV0' })],
    ['for another algorithm', async () => ({ ...(await keyOf('ec')), alg: 'HS256' })],
    ['for encryption', async () => ({ ...(await keyOf('ec')), use: 'enc' })],
    ['that signs', async () => ({ ...(await keyOf('ec')), key_ops: ['sign'] })],
    ['that is somewhere else', async () => ({ ...(await keyOf('ec')), x5u: 'https://evil.test/key' })],
    ['whose name is not text', async () => ({ ...(await keyOf('ec')), kid: 5 as never })],
    ['whose name is too long', async () => ({ ...(await keyOf('ec')), kid: 'x'.repeat(201) })],
    ['that is nothing', () => ({})],
  ]
  test.each(refused)('%s is refused', async (_, jwk) => {
    expectRefusal(await add(await bot(), { type: 'public_key', jwk: await jwk() }), 422, 'invalid_request')
  })
})

describe('a federated workload', () => {
  test.each([
    {},
    { subject: 'repo:acme/shop:environment:production' },
    { subject: 'repo:acme@12/shop@345:ref:refs/tags/v1.0' },
    { issuer: 'https://oidc.acme.example/trust', subject: 'spiffe://acme.example/ns/shop/sa/api' },
    { issuer: 'https://oidc.acme.example:8443', subject: 'system:serviceaccount:shop:api' },
    { issuer: 'https://gitlab.example/', subject: 'project_path:acme/shop:ref_type:branch:ref:main' },
    { audience: 'http://hallpass.test' },
  ])('is kept as it was written: %o', async (changes) => {
    const body = workload(changes)
    expect(await add(await bot(), body)).toMatchObject({ status: 201, body })
  })

  test('is trusted by one machine only, and one credential of it', async () => {
    const body = workload()
    const id = await bot()
    expect((await add(id, body)).status).toBe(201)
    for (const other of [id, await bot()])
      expectRefusal(await add(other, body), 409, 'name_taken', '/subject')
    expect((await add(id, { ...body, audience: 'another' })).status).toBe(201)
  })

  const issuers = [
    'http://oidc.acme.example',
    'http://127.0.0.1:8080',
    'http://localhost',
    'https://*.acme.example',
    'https://oidc.acme.example?x=1',
    'https://oidc.acme.example?',
    'https://oidc.acme.example#x',
    'https://oidc.acme.example#',
    'https://user@oidc.acme.example',
    'https://user:pass@oidc.acme.example',
    'https://OIDC.acme.example',
    'https://oidc.acme.example:443',
    'https://oidc.acme.example/a/../b',
    'https://oidc.acme.example\\@evil.test',
    ' https://oidc.acme.example',
    'https://oidc.acme.example ',
    'https://oidc.асme.example',
    'https://xn--80ak6aa92e.example',
    'https://oidc.acme.example.\n',
    'https://2130706433',
    'https://0x7f.1',
    'https://',
    'oidc.acme.example',
    'file:///etc/passwd',
    'ftp://oidc.acme.example',
    'javascript:alert(1)',
    'http://hallpass.test',
    'https://x.example/\u200b',
    '',
  ]
  test.each(issuers)('of the issuer %j is refused', async (issuer) => {
    expectRefusal(await add(await bot(), workload({ issuer })), 422, 'invalid_request', '/issuer')
  })

  const subjects = [
    '*',
    'repo:acme/*:ref:refs/heads/main',
    'repo:acme/shop:*',
    'repo:acme/shop',
    'repo:acme/shop:pull_request',
    'repo:acme/shop:ref:refs/pull/1/merge',
    'repo:acme/shop:ref:',
    'repo:acme/shop:environment:',
    'repo:acme:ref:refs/heads/main',
    'repo:acme/shop:ref:refs/heads/main ',
    'repo:acme/shop :ref:refs/heads/main',
    'repo:acme/shop:ref:refs/heads/?',
    'repo:асme/shop:ref:refs/heads/main',
    'repository_owner:acme',
    '',
  ]
  test.each(subjects)('of GitHub’s subject %j is refused', async (subject) => {
    expectRefusal(await add(await bot(), workload({ subject })), 422, 'invalid_request', '/subject')
  })

  test.each([
    'spiffe://acme.example',
    'spiffe://acme.example/',
    'spiffe://acme.example//x',
    'spiffe://acme.example/x/',
    'spiffe://acme.example/../x',
    'spiffe://Acme.example/x',
    'spiffe:///x',
    'SPIFFE://acme.example/x',
    'spiffe://user@acme.example/x',
    'spiffe://acme.example:80/x',
    'system:serviceaccount:shop',
    'system:serviceaccount:shop:',
    'system:serviceaccounts:shop',
    'repo:acme/shop:pull_request',
  ])('of the subject %j is refused, whoever names it', async (subject) => {
    const body = workload({ issuer: 'https://oidc.acme.example', subject })
    expectRefusal(await add(await bot(), body), 422, 'invalid_request', '/subject')
  })

  test.each([
    '',
    ' ',
    '*',
    'hall pass',
    'hallpass ',
    'hаllpass',
    'HTTP://HALLPASS.TEST',
    'http://hallpass.test/',
    'a\u0000b',
    'x'.repeat(501),
  ])('for the audience %j is refused', async (audience) => {
    expectRefusal(await add(await bot(), workload({ audience })), 422, 'invalid_request', '/audience')
  })

  test.each([
    { audience: ['hallpass'] },
    { subject: null },
    { issuer: 5 },
    { subject: undefined },
    { claims: {} },
  ])('with %o is refused', async (changes) => {
    expectRefusal(await add(await bot(), workload(changes)), 422, 'invalid_request')
  })

  test('at a loopback address is trusted only where the operator allows it, and nowhere else without TLS', async () => {
    const lenient = await createTestApi(sql, { allow_private_egress: true })
    const save = async (issuer: string) =>
      lenient.call('POST', pathOf(await bot()), {
        as: admin,
        body: workload({ issuer, subject: randomUUID() }),
      })
    for (const issuer of ['http://127.0.0.1:8080', 'http://localhost:8080', 'http://[::1]:8080'])
      expect((await save(issuer)).status).toBe(201)
    for (const issuer of ['http://10.0.0.1', 'http://oidc.acme.example', 'http://127.0.0.1.evil.test'])
      expectRefusal(await save(issuer), 422, 'invalid_request', '/issuer')
  })
})
