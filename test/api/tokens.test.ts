import { createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto'

import {
  CompactSign,
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  importPKCS8,
  jwtVerify,
  SignJWT,
} from 'jose'
import type { CryptoKey, JSONWebKeySet } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { getRow, rows } from '../../db/client.ts'
import { expectRefusal } from '../setup/api.ts'
import { startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'
import { exchange, requestText } from './raw-http.ts'
import type { RawAnswer } from './raw-http.ts'

type Fields = { [key: string]: unknown }

const issuer = 'http://hallpass.test'
const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ours = newKey()
const theirs = newKey()
const signing_key = ours.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

let it: TestProduct
let alice: Caller
let bob: Caller
let admin: Caller
let app_id: string
let kid: string
let jwks: JSONWebKeySet
let key: CryptoKey

beforeAll(async () => {
  it = await startTestProduct({ signing_key })
  ;[alice, bob, admin] = (await Promise.all(['alice', 'bob', 'admin'].map(it.as))) as [Caller, Caller, Caller]
  app_id = (await getRow<{ id: string }>(it.sql`select id from applications`)).id
  jwks = (await (await fetch(`${it.url}/.well-known/jwks.json`)).json()) as JSONWebKeySet
  kid = jwks.keys[0]?.kid ?? ''
  key = await importPKCS8(signing_key, 'ES256')
})
afterAll(() => it.close())

const now = () => Math.floor(Date.now() / 1_000)

const claims = (changes: Fields = {}): Fields => ({
  iss: issuer,
  aud: issuer,
  sub: alice.id,
  jti: randomUUID(),
  iat: now(),
  exp: now() + 600,
  ...changes,
})
const header = (changes: Fields = {}) => ({ alg: 'ES256', typ: 'at+jwt', kid, ...changes })

const sign = (payload: Fields, head: Fields = header(), signer: Parameters<SignJWT['sign']>[0] = key) =>
  new SignJWT(payload).setProtectedHeader(head as { alg: string }).sign(signer)

/** Signed with our own key, whatever the text says. */
const signText = (payload: string) =>
  new CompactSign(new TextEncoder().encode(payload)).setProtectedHeader(header()).sign(key)

const call = (authorization: string, target = '/api/v1/me'): Promise<RawAnswer> =>
  exchange(it.url, [requestText('GET', target, { authorization })])

async function expectRefused(token: string): Promise<void> {
  expectRefusal(await call(`Bearer ${token}`), 401, 'unauthenticated')
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

test('A token that is as it should be is accepted, in any spelling of the scheme', async () => {
  const token = await sign(claims())
  for (const scheme of ['Bearer', 'bearer', 'BEARER'])
    expect(await call(`${scheme} ${token}`)).toMatchObject({ status: 200, body: { id: alice.id } })
})

describe('a token is refused', () => {
  test.each<[string, Fields]>([
    ['of another issuer', { iss: 'http://evil.test' }],
    ['of an issuer that looks alike', { iss: `${issuer}/` }],
    ['of no issuer', { iss: undefined }],
    ['for another audience', { aud: 'internal-db' }],
    ['for an audience that looks alike', { aud: `${issuer}.evil` }],
    ['for no audience', { aud: undefined }],
    ['for an empty audience', { aud: [] }],
    ['that speaks for nobody', { sub: undefined }],
    ['that speaks for somebody unknown', { sub: randomUUID() }],
    ['that speaks for an e-mail', { sub: 'admin@example.com' }],
    ['that speaks for a number', { sub: 1 }],
    ['that speaks for SQL', { sub: `' or true --` }],
    ['that never ends', { exp: undefined }],
    ['whose end is text', { exp: '9999999999' }],
    ['whose end is null', { exp: null }],
    ['whose end is beyond all time', { exp: 1e300 }],
    ['that ends after longer than any of ours', { exp: 9_999_999_999 }],
    ['that has ended', { exp: 1 }],
    ['that ended a second ago', { exp: now() - 1 }],
    ['that ends before it began', { exp: -1 }],
    ['from the future', { iat: now() + 86_400 }],
    ['from the past', { iat: now() - 7_200 }],
    ['from no time', { iat: undefined }],
    ['whose time is text', { iat: 'now' }],
    ['that is not valid yet', { nbf: now() + 600 }],
    ['without an id', { jti: undefined }],
  ])('%s', async (_, changes) => {
    await expectRefused(await sign(claims(changes)))
  })

  test('whose end is infinite', async () => {
    const text = JSON.stringify(claims({ exp: 0 })).replace('"exp":0', '"exp":1e400')
    await expectRefused(await signText(text))
  })

  test.each(['null', '[]', '"x"', '7', '', '{'])('whose claims are %j', async (payload) => {
    await expectRefused(await signText(payload))
  })

  test.each([[undefined], ['JWT'], ['jwt'], ['id+jwt'], ['application/jwt'], ['dpop+jwt']])(
    'of type %s',
    async (typ) => {
      await expectRefused(await sign(claims(), header({ typ })))
    },
  )

  test('that is not signed', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', ''])
      for (const signature of ['', part('x'), (await sign(claims())).split('.')[2] ?? ''])
        await expectRefused(`${part(header({ alg }))}.${part(claims())}.${signature}`)
  })

  test('that is signed with our public key as a secret', async () => {
    const pem = createPublicKey(ours.publicKey.export({ type: 'spki', format: 'pem' }))
    const texts = [
      pem.export({ type: 'spki', format: 'pem' }).toString(),
      JSON.stringify(jwks.keys[0]),
      JSON.stringify(jwks),
    ]
    for (const text of texts)
      for (const alg of ['HS256', 'HS512'])
        await expectRefused(await sign(claims(), header({ alg }), new TextEncoder().encode(text.padEnd(64))))
  })

  test('that somebody else has signed, whichever key it brings along or names', async () => {
    const jwk = await exportJWK(theirs.publicKey)
    const heads = [
      {},
      { kid: undefined },
      { jwk },
      { jwk, kid: undefined },
      { jku: 'http://evil.test/jwks.json' },
      { x5u: 'http://evil.test/cert.pem' },
      { x5c: ['MIIB'] },
      { kid: 'other' },
      { kid: '../../../dev/null' },
      { kid: `' union select 'x' --` },
      { kid: '' },
      { kid: 'x'.repeat(4_000) },
    ]
    for (const head of heads) await expectRefused(await sign(claims(), header(head), theirs.privateKey))
  })

  test('that asks for extensions that we do not know', async () => {
    const forged = `${part(header({ crit: ['exp'] }))}.${part(claims())}.${part('x')}`
    await expectRefused(forged)
  })

  test('that was changed after it was signed', async () => {
    const [head, , signature] = (await sign(claims())).split('.')
    await expectRefused(`${head}.${part(claims({ sub: admin.id }))}.${signature}`)
    await expectRefused(
      `${head}.${part(claims())}.${signature?.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))}`,
    )
  })

  test.each(['', 'x', '.', '..', '...', 'a.b.c', 'null', 'e30.e30.', 'e30.e30.e30.e30.e30', 'ÿ', '%00'])(
    'that is %j',
    async (token) => {
      const answer = await call(`Bearer ${token}`)
      expect([400, 401]).toContain(answer.status)
      if (answer.status === 401) expectRefusal(answer, 401, 'unauthenticated')
    },
  )

  test('under another scheme, or none', async () => {
    const token = await sign(claims())
    for (const value of [
      token,
      `Basic ${token}`,
      `Bearer${token}`,
      `Bearer  `,
      `Token ${token}`,
      `Bearer ${token} x`,
    ])
      expectRefusal(await call(value), 401, 'unauthenticated')
  })

  test('that is huge, without the process suffering', async () => {
    expectRefusal(await call(`Bearer ${'a'.repeat(9_000)}`), 401, 'unauthenticated')
    await expectRefused(await sign(claims({ padding: 'x'.repeat(7_000) })))
    expect((await call(`Bearer ${'a'.repeat(5_000_000)}`)).status).toBe(431)
    expect((await call(`Bearer ${await sign(claims())}`)).status).toBe(200)
  })

  test('when there are two, though both are good', async () => {
    const authorization = `Bearer ${await sign(claims())}`
    const answer = await exchange(it.url, [
      requestText('GET', '/api/v1/me', { authorization, Authorization: authorization }),
    ])
    expectRefusal(answer, 401, 'unauthenticated')
  })

  test('anywhere but in its header', async () => {
    const token = await sign(claims())
    const headers = {
      cookie: `access_token=${token}`,
      'x-access-token': token,
      'proxy-authorization': `Bearer ${token}`,
    }
    for (const query of [`access_token=${token}`, `token=${token}`, `authorization=Bearer%20${token}`]) {
      const answer = await exchange(it.url, [requestText('GET', `/api/v1/me?${query}`, headers)])
      expectRefusal(answer, 401, 'unauthenticated')
    }
  })

  test('without telling why, or anything of itself', async () => {
    const details = new Set<unknown>()
    for (const changes of [{ iss: 'x' }, { aud: 'x' }, { exp: 1 }, { sub: 'x' }])
      details.add(((await call(`Bearer ${await sign(claims(changes))}`)).body as Fields)['detail'])
    expect(details.size).toBe(1)
  })
})

type Minted = { access_token: string; token_type: string; expires_in: number }

const mint = (caller: Caller, id = app_id) => caller.call<Minted>('POST', `/applications/${id}/token`)

async function minted(caller: Caller, id?: string): Promise<Fields> {
  const { status, body } = await mint(caller, id)
  expect(status).toBe(200)
  return decodeJwt(body.access_token)
}

async function addPerson(): Promise<Caller> {
  const name = `p-${randomUUID()}`
  await admin.call('POST', '/identities', { email: `${name}@example.com`, display_name: name })
  return it.as(name)
}

const addGroup = async (caller: Caller) => {
  const { body } = await admin.call<{ id: string; name: string }>('POST', '/groups', {
    name: `g ${randomUUID()}`,
  })
  await admin.call('PUT', `/groups/${body.id}/members/${caller.id}`)
  return body
}

const addMapping = async (claim: string, value: string, id = app_id) =>
  (
    await admin.call<{ id: string }>('POST', `/applications/${id}/mappings`, {
      name: randomUUID(),
      claim,
      value,
    })
  ).body.id

/** Access that was approved at once. */
async function granted(caller: Caller, mapping_ids?: string[]): Promise<string> {
  const changes = mapping_ids === undefined ? {} : { mapping_ids }
  const template = await it.template({ auto_approve: true, trigger_task_id: null, ...changes })
  return (await submit(caller, template.id)).id
}

describe('a token for an application', () => {
  test('is a signed JWT that anybody can check with the published key', async () => {
    const { status, headers, body } = await mint(bob)
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 300 })
    const { payload, protectedHeader } = await jwtVerify(body.access_token, createLocalJWKSet(jwks), {
      issuer,
      audience: 'internal-db',
      typ: 'at+jwt',
      algorithms: ['ES256'],
    })
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid })
    expect(payload).toEqual({
      iss: issuer,
      sub: bob.id,
      aud: 'internal-db',
      email: 'bob@example.com',
      groups: ['dba-team'],
      iat: expect.any(Number) as number,
      exp: (payload.iat ?? 0) + 300,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    })
    expect(Math.abs((payload.iat ?? 0) - now())).toBeLessThan(10)
  })

  test('is checked with a key whose private part is not published', () => {
    for (const jwk of jwks.keys) {
      expect(jwk).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' })
      expect(jwk.d).toBeUndefined()
    }
  })

  test('does not open the API', async () => {
    for (const caller of [bob, admin]) await expectRefused((await mint(caller)).body.access_token)
  })

  test('carries no claim of an entitlement without one, and each as a list with one', async () => {
    const person = await addPerson()
    expect(Object.keys(await minted(person)).toSorted()).toEqual(
      ['aud', 'email', 'exp', 'groups', 'iat', 'iss', 'jti', 'sub'].toSorted(),
    )
    await granted(person)
    expect((await minted(person))['roles']).toEqual(['db-readonly'])
  })

  test('has one claim for each name, with the distinct values of standing and temporary groups', async () => {
    const person = await addPerson()
    const group = await addGroup(person)
    const [east, west, west2] = await Promise.all(
      ['east', 'west', 'west'].map((value) => addMapping('region', value)),
    )
    for (const id of [west, west2]) await admin.call('PUT', `/groups/${group.id}/mappings/${id}`)
    const request = await granted(person, [east ?? '', west ?? ''])
    const token = await minted(person)
    expect(token).toMatchObject({ region: ['east', 'west'] })
    expect(token['groups']).toEqual([`__access_req_${request}`, group.name])
    await person.call('POST', `/access-requests/${request}/revoke`)
    expect(await minted(person)).toMatchObject({ region: ['west'], groups: [group.name] })
  })

  test('carries nothing of another application', async () => {
    const person = await addPerson()
    const slug = `app-${randomUUID()}`
    const other = await admin.call<{ id: string }>('POST', '/applications', { name: slug, slug })
    await granted(person)
    const token = await minted(person, other.body.id)
    expect([token['aud'], token['roles']]).toEqual([slug, undefined])
  })

  test('never outlives the access that it carries, to the second', async () => {
    const person = await addPerson()
    const request = await granted(person)
    const end = await getRow<{ at: number }>(it.sql`
      with g as (update grants set expires_at = now() + interval '42.9 seconds' where request_id = ${request} returning expires_at)
      select floor(extract(epoch from expires_at))::float8 as at from g`)
    const { body } = await mint(person)
    const token = decodeJwt(body.access_token)
    expect(token.exp).toBe(end.at)
    expect(body.expires_in).toBe((token.exp ?? 0) - (token.iat ?? 0))
    expect(body.expires_in).toBeLessThanOrEqual(43)
  })

  test.each(['0 seconds', '-1 hour', '0.9 seconds'])(
    'carries nothing of access that ends in %s, though nobody has ended it',
    async (left) => {
      const person = await addPerson()
      const request = await granted(person)
      await it.sql`update grants set starts_at = now() - interval '2 hours', expires_at = now() + ${left}::interval
        where request_id = ${request}`
      expect(await minted(person)).toMatchObject({ groups: [], exp: expect.any(Number) as number })
      expect((await minted(person))['roles']).toBeUndefined()
    },
  )

  test('never outlives a membership, or the identity itself', async () => {
    const person = await addPerson()
    const group = await addGroup(person)
    await it.sql`update memberships set expires_at = now() + interval '30 seconds' where group_id = ${group.id}`
    const first = await mint(person)
    expect(first.body.expires_in).toBeLessThanOrEqual(30)
    await it.sql`update identities set expires_at = now() + interval '10 seconds' where id = ${person.id}`
    const second = await mint(person)
    expect(second.body.expires_in).toBeLessThanOrEqual(10)
    await it.sql`update identities set expires_at = now() where id = ${person.id}`
    expectRefusal(await mint(person), 401, 'unauthenticated')
  })

  test('is not for who was disabled, whose API token ends with it', async () => {
    const person = await addPerson()
    await granted(person)
    await admin.call('PATCH', `/identities/${person.id}`, { status: 'disabled' })
    expectRefusal(await mint(person), 401, 'unauthenticated')
    expectRefusal(await person.call('GET', '/me'), 401, 'unauthenticated')
    await admin.call('PATCH', `/identities/${person.id}`, { status: 'active' })
    expect((await minted(person))['roles']).toBeUndefined()
  })

  test('is not for an application that there is not', async () => {
    for (const id of [randomUUID(), 'internal-db', '%00'])
      expectRefusal(await mint(alice, id), 404, 'not_found')
  })

  test('is on record, with what it says and the requests behind it, but not itself', async () => {
    const person = await addPerson()
    const request = await granted(person)
    const { body } = await mint(person)
    const token = decodeJwt(body.access_token)
    const [event] = await rows<{ actor_id: string; object_id: string; detail: Fields }>(it.sql`
      select actor_id, object_id, detail from audit_events where kind = 'token.issued'
        and detail ->> 'jti' = ${token.jti ?? ''}`)
    expect(event).toEqual({
      actor_id: person.id,
      object_id: app_id,
      detail: {
        jti: token.jti,
        aud: 'internal-db',
        exp: token.exp,
        claims: { roles: ['db-readonly'] },
        request_ids: [request],
      },
    })
    expect(decodeProtectedHeader(body.access_token).kid).toBe(kid)
    expect(JSON.stringify(event)).not.toContain(body.access_token.split('.')[2])
  })

  test('minted while its access is revoked carries it only if it came first', async () => {
    const person = await addPerson()
    for (let round = 0; round < 5; round++) {
      const request = await granted(person)
      const mints = Array.from({ length: 5 }, () => minted(person))
      const revoked = await person.call('POST', `/access-requests/${request}/revoke`)
      expect(revoked.status).toBe(200)
      expect((await minted(person))['roles']).toBeUndefined()
      await Promise.all(mints)
    }
  })
})
