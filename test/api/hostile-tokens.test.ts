import { createHmac, generateKeyPairSync, randomUUID, sign as signBytes } from 'node:crypto'

import { calculateJwkThumbprint, exportJWK } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { expectRefusal } from '../setup/api.ts'
import { startTestProduct } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'
import { exchange, requestText } from './raw-http.ts'
import type { RawAnswer } from './raw-http.ts'

type Fields = { [key: string]: unknown }

const issuer = 'http://hallpass.test'
const ours = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const theirs = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const toPem = (key: typeof ours.privateKey) => key.export({ type: 'pkcs8', format: 'pem' }).toString()

let it: TestProduct
let alice: Caller
let admin: Caller
let kid: string
let jwks: string

beforeAll(async () => {
  it = await startTestProduct({ signing_key: toPem(ours.privateKey), without_worker: true })
  ;[alice, admin] = (await Promise.all(['alice', 'admin'].map(it.as))) as [Caller, Caller]
  kid = await calculateJwkThumbprint(await exportJWK(ours.publicKey))
  jwks = await (await fetch(`${it.url}/.well-known/jwks.json`)).text()
})
afterAll(() => it.close())

const now = () => Math.floor(Date.now() / 1_000)
const head = (changes: Fields = {}): Fields => ({ alg: 'ES256', typ: 'at+jwt', kid, ...changes })
const claims = (changes: Fields = {}): Fields => ({
  iss: issuer,
  aud: issuer,
  sub: alice.id,
  jti: randomUUID(),
  iat: now(),
  exp: now() + 600,
  ...changes,
})

const encode = (text: string) => Buffer.from(text).toString('base64url')
const signed = (text: string, key = ours.privateKey) =>
  signBytes('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
/** Signed as we sign, whatever header and payload say. */
const signTexts = (header: string, payload: string, key = ours.privateKey) => {
  const text = `${encode(header)}.${encode(payload)}`
  return `${text}.${signed(text, key).toString('base64url')}`
}
const token = (header = head(), payload = claims(), key = ours.privateKey) =>
  signTexts(JSON.stringify(header), JSON.stringify(payload), key)
const hmac = (alg: string, secret: string) => {
  const text = `${encode(JSON.stringify(head({ alg })))}.${encode(JSON.stringify(claims()))}`
  return `${text}.${createHmac(alg === 'HS256' ? 'sha256' : 'sha512', secret)
    .update(text)
    .digest('base64url')}`
}
const parts = (text = token()) => text.split('.') as [string, string, string]
const replaced = (from: string, to: string, payload = claims()) =>
  signTexts(JSON.stringify(head()), JSON.stringify(payload).replace(from, to))

type Shape = () => string | Promise<string>

const publicPem = () => ours.publicKey.export({ type: 'spki', format: 'pem' }).toString()

const shapes: Record<string, Shape> = {
  'that is not signed, by alg none': () =>
    `${parts(token(head({ alg: 'none' })))
      .slice(0, 2)
      .join('.')}.`,
  'that is not signed, by another spelling of none': () =>
    `${parts(token(head({ alg: 'nOnE' })))
      .slice(0, 2)
      .join('.')}.`,
  'of alg none with a good signature': () => token(head({ alg: 'none' })),
  'of an alg that is missing': () => token(head({ alg: undefined })),
  'of alg ES384 over a signature of ES256': () => token(head({ alg: 'ES384' })),
  'of alg RS256 with an RSA key of its own': async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const header = head({ alg: 'RS256', jwk: await exportJWK(rsa.publicKey) })
    const text = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(claims()))}`
    return `${text}.${signBytes('sha256', Buffer.from(text), rsa.privateKey).toString('base64url')}`
  },
  'of alg HS256 with our public key, as PEM, for its secret': () => hmac('HS256', publicPem()),
  'of alg HS512 with our JWKS for its secret': () => hmac('HS512', jwks),
  'whose signature is empty': () => `${parts().slice(0, 2).join('.')}.`,
  'whose signature is all zeros': () =>
    `${parts().slice(0, 2).join('.')}.${Buffer.alloc(64).toString('base64url')}`,
  'whose signature is in DER': () => {
    const text = parts().slice(0, 2).join('.')
    return `${text}.${signBytes('sha256', Buffer.from(text), ours.privateKey).toString('base64url')}`
  },
  'whose signature is that of another token': () => `${parts().slice(0, 2).join('.')}.${parts()[2]}`,
  'whose signature is spelled otherwise': () => {
    const [header, payload, signature] = parts()
    const next: Record<string, string> = { A: 'B', Q: 'R', g: 'h', w: 'x' }
    return `${header}.${payload}.${signature.replace(/.$/, (last) => next[last] ?? '')}`
  },
  'whose signature is padded': () => `${token()}==`,
  'whose payload was changed': () => {
    const [header, , signature] = parts()
    return `${header}.${encode(JSON.stringify(claims({ sub: admin.id })))}.${signature}`
  },
  'whose header was changed': () => {
    const [, payload, signature] = parts()
    return `${encode(JSON.stringify(head({ cty: 'JWT' })))}.${payload}.${signature}`
  },
  'that somebody else has signed, under our kid': () => token(head(), claims(), theirs.privateKey),
  'that brings its key along, as jwk': async () =>
    token(head({ jwk: await exportJWK(theirs.publicKey), kid: undefined }), claims(), theirs.privateKey),
  'that says where its key is, as jku': () =>
    token(head({ jku: 'http://127.0.0.1:1/jwks.json' }), claims(), theirs.privateKey),
  'that brings a certificate along, as x5c': () =>
    token(head({ x5c: ['MIIB'], x5u: 'http://127.0.0.1:1/c.pem' }), claims(), theirs.privateKey),
  'without a kid': () => token(head({ kid: undefined })),
  'whose kid is a path': () => token(head({ kid: '../../../../dev/null' }), claims(), theirs.privateKey),
  'whose kid is SQL': () => token(head({ kid: `' union select private_part --` })),
  'whose kid is a list': () => token(head({ kid: [kid] })),
  'whose header asks for what we do not know, by crit': () => token(head({ crit: ['exp'] })),
  'whose header says something twice': () =>
    signTexts(JSON.stringify(head()).replace('{', '{"alg":"none",'), JSON.stringify(claims())),
  'of type JWT': () => token(head({ typ: 'JWT' })),
  'of no type': () => token(head({ typ: undefined })),
  'of an issuer that looks alike': () => token(head(), claims({ iss: `${issuer}.` })),
  'for an application': () => token(head(), claims({ aud: 'internal-db' })),
  'for us among others': () => token(head(), claims({ aud: [issuer, 'internal-db'] })),
  'that never ends': () => token(head(), claims({ exp: undefined })),
  'whose end is 1e400': () => replaced('"exp":0', '"exp":1e400', claims({ exp: 0 })),
  'whose end is text': () => token(head(), claims({ exp: String(now() + 600) })),
  'that has ended': () => token(head(), claims({ iat: now() - 60, exp: now() })),
  'that lives longer than any of ours': () => token(head(), claims({ exp: now() + 3_601 })),
  'that is not valid yet': () => token(head(), claims({ nbf: now() + 120 })),
  'that says twice for whom it speaks': () => replaced('{', `{"sub":"${admin.id}",`),
  'that is bound to a key, and comes without a proof': () =>
    token(head(), claims({ cnf: { jkt: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs' } })),
  'of five parts': () => `${token()}..`,
  'that is 5 MB long': () => token(head(), claims({ padding: 'x'.repeat(5_000_000) })),
}

const ask = (authorization: string, target = '/api/v1/me'): Promise<RawAnswer> =>
  exchange(it.url, [requestText('GET', target, { authorization })])
const expectAccepted = async () =>
  expect(await ask(`Bearer ${token()}`)).toMatchObject({ status: 200, body: { id: alice.id } })

async function introspect(text: string): Promise<unknown> {
  const body = new URLSearchParams({ token: text }).toString()
  const response = await fetch(`${it.url}/oauth/introspect`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Bearer ${admin.token}`,
    },
    body,
  })
  return response.json()
}

describe('a token is refused', () => {
  test('in 41 shapes', () => expect(Object.keys(shapes)).toHaveLength(41))

  test.each(Object.entries(shapes))('%s', async (name, make) => {
    await expectAccepted()
    const hostile = await make()
    const answer = await ask(`Bearer ${hostile}`)
    if (hostile.length > 1_000_000) expect(answer.status).toBe(431)
    else expectRefusal(answer, 401, 'unauthenticated')
    await expectAccepted()
    const isGoodElsewhere = [
      'for an application',
      'that is bound to a key, and comes without a proof',
    ].includes(name)
    if (!isGoodElsewhere && hostile.length < 1_000_000)
      expect(await introspect(hostile)).toEqual({ active: false })
  })

  test('twice in one request, and anywhere but in its header', async () => {
    const good = token()
    const twice = requestText('GET', '/api/v1/me', {
      authorization: `Bearer ${good}`,
      Authorization: `Bearer ${good}`,
    })
    expectRefusal(await exchange(it.url, [twice]), 401, 'unauthenticated')
    const query = requestText('GET', `/api/v1/me?access_token=${good}`, { cookie: `access_token=${good}` })
    expectRefusal(await exchange(it.url, [query]), 401, 'unauthenticated')
  })

  test('while the same token as it should be is good, also where it is introspected', async () => {
    expect(await introspect(token())).toMatchObject({ active: true, sub: alice.id })
  })
})
