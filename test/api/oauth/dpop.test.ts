import { createHash, randomUUID } from 'node:crypto'

import { CompactSign, exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { CryptoKey, JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { exchange, requestText } from '../raw-http.ts'
import { nowSeconds } from './issuer.ts'
import { basic, expectOAuthError, startMachines } from './machines.ts'
import type { Machine, Machines } from './machines.ts'

type Fields = { [key: string]: unknown }

let it: Machines
let machine: Machine
let key: { privateKey: CryptoKey; jwk: JWK }

async function newKey(algorithm = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  return { privateKey, jwk: await exportJWK(publicKey) }
}

beforeAll(async () => {
  ;[it, key] = await Promise.all([startMachines(), newKey()])
  machine = await it.addMachine()
})
afterAll(() => it.product.close())

const tokenUrl = () => `${it.product.url}/oauth/token`
const meUrl = () => `${it.product.url}/api/v1/me`
const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url')

const prove = (claims: Fields = {}, header: Fields = {}, signer: CryptoKey = key.privateKey) =>
  new SignJWT({ jti: randomUUID(), htm: 'POST', htu: tokenUrl(), iat: nowSeconds(), ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: key.jwk, ...header })
    .sign(signer)

const mint = (proof: string) =>
  it.post('/token', { grant_type: 'client_credentials' }, { ...basic(machine), dpop: proof })

async function bound(): Promise<string> {
  const { status, body } = await mint(await prove())
  expect([status, body['token_type']]).toEqual([200, 'DPoP'])
  return String(body['access_token'])
}

const proveUse = (token: string, claims: Fields = {}, header: Fields = {}, signer?: CryptoKey) =>
  prove({ htm: 'GET', htu: meUrl(), ath: hashOf(token), ...claims }, header, signer)

const use = async (token: string, headers: Record<string, string>, scheme = 'DPoP') =>
  (await fetch(meUrl(), { headers: { authorization: `${scheme} ${token}`, ...headers } })).status

test('A proof that cannot be looked up now is not called a wrong one', async () => {
  const token = await bound()
  await it.product.sql.begin(async (tx) => {
    await tx`lock table used_ids in exclusive mode`
    const [minted, used] = await Promise.all([
      mint(await prove()),
      proveUse(token).then((dpop) => use(token, { dpop })),
    ])
    expectOAuthError(minted, 503, 'temporarily_unavailable')
    expect(used).toBe(503)
  })
})

const wrong: [string, () => Fields, Fields?][] = [
  ['of another method', () => ({ htm: 'DELETE' })],
  ['of a method in small letters', () => ({ htm: 'get' })],
  ['of another address', () => ({ htu: `${it.product.url}/api/v1/groups` })],
  ['of another server', () => ({ htu: 'https://evil.test/api/v1/me' })],
  ['of no address', () => ({ htu: 'x' })],
  ['of a minute ago', () => ({ iat: nowSeconds() - 70 })],
  ['of the future', () => ({ iat: nowSeconds() + 70 })],
  ['of no time', () => ({ iat: undefined })],
  ['of a time that is text', () => ({ iat: String(nowSeconds()) })],
  ['without an id', () => ({ jti: undefined })],
  ['with an endless id', () => ({ jti: 'x'.repeat(300) })],
  ['of another type', () => ({}), { typ: 'JWT' }],
  ['of no type', () => ({}), { typ: undefined }],
  ['without a key', () => ({}), { jwk: undefined }],
  ['with a key of another kind', () => ({}), { jwk: { kty: 'oct', k: 'c2VjcmV0' } }],
]

describe('a proof at the token endpoint', () => {
  test.each(wrong.filter(([name]) => !name.includes('small')))('%s is refused', async (_, claims, header) => {
    const proof = await prove({ ...claims(), ...('htm' in claims() && { htm: 'GET' }) }, header)
    expectOAuthError(await mint(proof), 400, 'invalid_dpop_proof')
  })

  test('that somebody else has signed, or nobody, or that is none, is refused', async () => {
    const other = await newKey()
    const [head, claims] = (await prove()).split('.')
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'dpop+jwt', jwk: key.jwk })).toString(
      'base64url',
    )
    const proofs = [
      await prove({}, {}, other.privateKey),
      `${none}.${claims}.AA`,
      `${head}.${claims}.AA`,
      'x',
      'a.b.c',
      `${await prove()}, ${await prove()}`,
      await prove({ x: 'x'.repeat(9_000) }),
    ]
    for (const proof of proofs) expectOAuthError(await mint(proof), 400, 'invalid_dpop_proof')
  })

  test('that brings the private key along is refused', async () => {
    const jwk = await exportJWK(key.privateKey)
    expectOAuthError(await mint(await prove({}, { jwk })), 400, 'invalid_dpop_proof')
  })

  test('that says something twice is refused', async () => {
    const text = JSON.stringify({ jti: randomUUID(), htm: 'POST', htu: tokenUrl(), iat: nowSeconds() })
    const twice = new TextEncoder().encode(text.replace('{', '{"jti":"x",'))
    const header = { alg: 'ES256', typ: 'dpop+jwt', jwk: key.jwk }
    const proof = await new CompactSign(twice).setProtectedHeader(header).sign(key.privateKey)
    expectOAuthError(await mint(proof), 400, 'invalid_dpop_proof')
  })

  test('is taken once, however many show it at once', async () => {
    const proof = await prove()
    const answers = await Promise.all(Array.from({ length: 8 }, () => mint(proof)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })
})

describe('a bound token', () => {
  test('opens the API with a proof, once for each, at any address that means the same', async () => {
    const token = await bound()
    const proof = await proveUse(token)
    expect([await use(token, { dpop: proof }), await use(token, { dpop: proof })]).toEqual([200, 401])
    expect(await use(token, { dpop: await proveUse(token, { htu: `${meUrl()}?x=1#y` }) }, 'dpop')).toBe(200)
  })

  test.each(wrong)('does not open it with a proof %s', async (_, claims, header) => {
    const token = await bound()
    expect(await use(token, { dpop: await proveUse(token, claims(), header) })).toBe(401)
  })

  test('does not open it with a proof of another token, or of another key, or of none', async () => {
    const token = await bound()
    const other = await newKey()
    const proofs = [
      await proveUse(token, { ath: hashOf('x') }),
      await proveUse(token, { ath: undefined }),
      await proveUse(token, {}, { jwk: other.jwk }, other.privateKey),
      '',
    ]
    for (const dpop of proofs) expect(await use(token, { dpop })).toBe(401)
    expect(await use(token, {})).toBe(401)
    for (const headers of [{}, { dpop: await proveUse(token) }])
      expect(await use(token, headers, 'Bearer')).toBe(401)
  })

  test('does not open it with two proofs, though both are good', async () => {
    const token = await bound()
    const headers = {
      authorization: `DPoP ${token}`,
      DPoP: await proveUse(token),
      dpop: await proveUse(token),
    }
    expect((await exchange(it.product.url, [requestText('GET', '/api/v1/me', headers)])).status).toBe(401)
  })

  test('asks about itself with a proof', async () => {
    const token = await bound()
    const dpop = await proveUse(token, { htm: 'POST', htu: `${it.product.url}/oauth/introspect` })
    const headers = { authorization: `DPoP ${token}`, dpop }
    expect((await it.post('/introspect', { token }, headers)).body).toMatchObject({
      active: true,
      token_type: 'DPoP',
    })
    expectOAuthError(await it.post('/introspect', { token }, headers), 401, 'invalid_token')
  })
})

test('A token that is bound to no key is no DPoP token', async () => {
  const { body } = await it.post('/token', { grant_type: 'client_credentials' }, basic(machine))
  const token = String(body['access_token'])
  expect(await use(token, { dpop: await proveUse(token) })).toBe(401)
  expect(await use(token, {}, 'Bearer')).toBe(200)
})
