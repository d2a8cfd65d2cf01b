import { createHash, randomUUID } from 'node:crypto'

import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { CryptoKey, JWK } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { rows } from '../../../db/client.ts'
import { expectRefusal } from '../../setup/api.ts'
import { callerOf } from '../../setup/product.ts'
import type { Caller } from '../../setup/product.ts'
import { exchange, requestText } from '../raw-http.ts'
import { nowSeconds } from './issuer.ts'
import { basic, startMachines } from './machines.ts'
import type { Machine, Machines } from './machines.ts'

type Fields = { [key: string]: unknown }
type Key = { privateKey: CryptoKey; jwk: JWK }

let it: Machines
let machine: Machine
let alice: Caller
let [key, other]: Key[] = []

async function newKey(): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  return { privateKey, jwk: await exportJWK(publicKey) }
}

beforeAll(async () => {
  it = await startMachines()
  ;[alice, machine, key, other] = [
    await it.product.as('alice'),
    await it.addMachine(),
    await newKey(),
    await newKey(),
  ]
})
afterAll(() => it.product.close())

const path = () => `/applications/${it.app.id}/token`
const url = () => `${it.product.url}/api/v1${path()}`
const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url')

const prove = ({ privateKey, jwk } = key ?? expect.unreachable(), claims: Fields = {}) =>
  new SignJWT({ jti: randomUUID(), htm: 'POST', htu: url(), iat: nowSeconds(), ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
    .sign(privateKey)

type Answer = { status: number; headers: Headers; body: Fields }

async function ask(headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(url(), { method: 'POST', headers })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Fields }
}

/** A token of the machine for the product's own API, bound to `key`. */
async function bound(): Promise<string> {
  const dpop = await prove(key, { htu: `${it.product.url}/oauth/token` })
  const { body } = await it.post('/token', { grant_type: 'client_credentials' }, { ...basic(machine), dpop })
  return String(body['access_token'])
}

const askBound = (token: string, dpop: string | undefined, scheme = 'DPoP') =>
  ask({ authorization: `${scheme} ${token}`, ...(dpop !== undefined && { dpop }) })

const issuedTo = async ({ body }: Answer) => {
  const { jti } = decodeJwt(String(body['access_token']))
  const [event] = await rows<{ detail: Fields }>(it.product.sql`
    select detail from audit_events where kind = 'token.issued' and detail ->> 'jti' = ${jti ?? ''}`)
  return event?.detail
}

describe('A token for an application, asked for with a token that is bound to a key', () => {
  let token: string
  beforeEach(async () => void (token = await bound()))
  const proveUse = (claims: Fields = {}, of = key) => prove(of, { ath: hashOf(token), ...claims })

  test('is bound to the same key, says so, and is told so', async () => {
    const answer = await askBound(token, await proveUse())
    expect([answer.status, answer.body['token_type']]).toEqual([200, 'DPoP'])
    const minted = String(answer.body['access_token'])
    expect(decodeJwt(minted)['cnf']).toEqual(decodeJwt(token)['cnf'])
    expect(await issuedTo(answer)).toMatchObject({ cnf: decodeJwt(token)['cnf'] })
    expect((await it.post('/introspect', { token: minted }, basic(machine))).body).toMatchObject({
      active: true,
      token_type: 'DPoP',
      cnf: decodeJwt(token)['cnf'],
    })
  })

  test('is refused without a proof, to whoever only bears it, and by a proof of another key', async () => {
    const proofs = [undefined, '', await proveUse({}, other)]
    for (const proof of proofs) expectRefusal(await askBound(token, proof), 401, 'unauthenticated')
    expectRefusal(await askBound(token, await proveUse(), 'Bearer'), 401, 'unauthenticated')
  })

  test('is refused by a proof that was shown before', async () => {
    const proof = await proveUse()
    expect((await askBound(token, proof)).status).toBe(200)
    expectRefusal(await askBound(token, proof), 401, 'unauthenticated')
  })

  test.each<[string, () => Fields]>([
    ['another token', () => ({ ath: hashOf('x') })],
    ['no token', () => ({ ath: undefined })],
    ['another application', () => ({ htu: url().replace(it.app.id, randomUUID()) })],
    ['the token endpoint', () => ({ htu: `${it.product.url}/oauth/token` })],
    ['another method', () => ({ htm: 'GET' })],
    ['a minute ago', () => ({ iat: nowSeconds() - 70 })],
  ])('is refused by a proof of %s', async (_, claims) => {
    expectRefusal(await askBound(token, await proveUse(claims())), 401, 'unauthenticated')
  })

  test('is bound once, however many show the same proof at once', async () => {
    const proof = await proveUse()
    const answers = await Promise.all(Array.from({ length: 8 }, () => askBound(token, proof)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })
})

describe('A token for an application, asked for with something that is bound to no key', () => {
  let pat: { id: string; token: string }
  beforeAll(async () => {
    const input = { name: 'laptop', scopes: ['token'], expires_at: '2027-06-01T00:00:00Z' }
    pat = (await alice.call<typeof pat>('POST', '/personal-access-tokens', input)).body
  })
  const bearing = (dpop?: string) =>
    ask({ authorization: `Bearer ${pat.token}`, ...(dpop !== undefined && { dpop }) })

  test('is bound to the key of the proof beside it, and to none without one', async () => {
    const answer = await bearing(await prove())
    expect([answer.status, answer.body['token_type']]).toEqual([200, 'DPoP'])
    expect(decodeJwt(String(answer.body['access_token']))['cnf']).toEqual({ jkt: expect.any(String) })
    const plain = await bearing()
    expect([plain.status, plain.body['token_type']]).toEqual([200, 'Bearer'])
    expect(decodeJwt(String(plain.body['access_token']))).not.toHaveProperty('cnf')
  })

  test('is bound for whoever bears a token of the product’s own, too', async () => {
    const answer = await ask({ authorization: `Bearer ${alice.token}`, dpop: await prove() })
    expect([answer.status, answer.body['token_type']]).toEqual([200, 'DPoP'])
  })

  test('says in the log by which personal access token, and nothing of its value', async () => {
    const detail = await issuedTo(await bearing())
    expect(detail).toMatchObject({ personal_access_token_id: pat.id })
    expect(JSON.stringify(detail)).not.toContain(pat.token.slice(4, 20))
    const own = await ask({ authorization: `Bearer ${alice.token}` })
    expect(await issuedTo(own)).not.toHaveProperty('personal_access_token_id')
  })

  test.each<[string, () => Promise<string>]>([
    ['is none', () => Promise.resolve('x')],
    ['is empty', () => Promise.resolve('')],
    ['names a token', () => prove(key, { ath: hashOf(pat.token) })],
    ['is of another address', () => prove(key, { htu: `${it.product.url}/oauth/token` })],
    ['is of another method', () => prove(key, { htm: 'GET' })],
    ['is old', () => prove(key, { iat: nowSeconds() - 70 })],
    ['another key has signed', async () => prove({ ...other, jwk: key?.jwk } as Key)],
    ['are two', async () => `${await prove()}, ${await prove()}`],
  ])('is refused beside a proof that %s: never answered unbound', async (_, proof) => {
    const answer = await bearing(await proof())
    expectRefusal(answer, 422, 'invalid_request', '/dpop')
    expect(answer.body).not.toHaveProperty('access_token')
  })

  test('is refused beside a proof that was shown before, and beside two headers', async () => {
    const proof = await prove()
    expect((await bearing(proof)).status).toBe(200)
    expectRefusal(await bearing(proof), 422, 'invalid_request', '/dpop')
    const headers = { authorization: `Bearer ${pat.token}`, DPoP: await prove(), dpop: await prove() }
    const raw = requestText('POST', `/api/v1${path()}`, headers)
    expect((await exchange(it.product.url, [raw])).status).toBe(422)
  })

  test('is given under the key of a call that was refused: no refusal of a proof is kept', async () => {
    const headers = { authorization: `Bearer ${pat.token}`, 'idempotency-key': randomUUID() }
    expectRefusal(await ask({ ...headers, dpop: 'x' }), 422, 'invalid_request', '/dpop')
    const answer = await ask({ ...headers, dpop: await prove() })
    expect([answer.status, answer.body['token_type']]).toEqual([200, 'DPoP'])
  })

  test('opens no application to whoever may not have it: the proof gives nothing', async () => {
    const input = { name: 'reader', scopes: ['read'], expires_at: '2027-06-01T00:00:00Z' }
    const { body } = await alice.call<{ token: string }>('POST', '/personal-access-tokens', input)
    const call = callerOf(it.product.url, body.token)
    expectRefusal(await call('POST', path(), undefined, { dpop: await prove() }), 403, 'forbidden')
  })
})
