import { generateKeyPairSync, randomBytes } from 'node:crypto'

import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import type { JSONWebKeySet } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { openKeyring } from '../../api/keyring.ts'
import { getRow, rows } from '../../db/client.ts'
import { createSealer } from '../../db/sealing.ts'
import type { SigningKey } from '../../domain/signing-key.ts'
import { expectRefusal } from '../setup/api.ts'
import { callerOf, eventually, startTestProduct } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

type Minted = { access_token: string }

const issuer = 'http://hallpass.test'
const overlap = 2
const policy = { rotation_days: 90, overlap_seconds: overlap }
const settings = {
  secrets_key: [randomBytes(32)],
  signing_key: generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString(),
  signing_key_overlap_seconds: overlap,
}

/** Two API processes on one database. */
let one: TestProduct
let two: TestProduct
let admin: Caller
let alice: Caller
let app_id: string

beforeAll(async () => {
  one = await startTestProduct(settings)
  two = await startTestProduct({ ...settings, database_url: one.database_url, without_worker: true })
  ;[admin, alice] = (await Promise.all(['admin', 'alice'].map(one.as))) as [Caller, Caller]
  app_id = (await getRow<{ id: string }>(one.sql`select id from applications`)).id
}, 120_000)
afterAll(async () => {
  await two.close()
  await one.close()
})

const jwksOf = async ({ url }: TestProduct) =>
  (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as JSONWebKeySet
const shown = async (product: TestProduct) => (await jwksOf(product)).keys.map(({ kid }) => kid ?? '')
const kidOf = (token: string) => decodeProtectedHeader(token).kid ?? ''

/** The token that a caller comes with is signed by the harness; this one by the product. */
async function mint(product: TestProduct, caller = alice): Promise<string> {
  const { token } = caller
  const { status, body } = await callerOf(product.url, token)<Minted>('POST', `/applications/${app_id}/token`)
  if (status !== 200) throw new Error(`the mint was answered ${status}: ${JSON.stringify(body)}`)
  return body.access_token
}

const list = async () => (await admin.call<{ data: SigningKey[] }>('GET', '/signing-keys')).body.data
const signing = async () => (await list()).findLast(({ state }) => state === 'signing')?.kid ?? ''
const rotate = async () => (await admin.call<SigningKey>('POST', '/signing-keys/rotate')).body
const signs = (kid: string, product = one) =>
  eventually(`${kid} to sign`, async () => kidOf(await mint(product)) === kid)

/** A relying party that keeps the JWKS for as long as it may. */
function relyingParty(product: TestProduct) {
  let kept: { keys: ReturnType<typeof createLocalJWKSet>; until: number } | undefined
  async function read() {
    const response = await fetch(`${product.url}/.well-known/jwks.json`)
    const seconds = Number(/^public, max-age=(\d+)$/.exec(response.headers.get('cache-control') ?? '')?.[1])
    const keys = createLocalJWKSet((await response.json()) as JSONWebKeySet)
    return { keys, until: Date.now() + seconds * 1_000 }
  }
  return {
    verify: async (token: string) => {
      if (kept === undefined || kept.until <= Date.now()) kept = await read()
      return jwtVerify(token, kept.keys, { audience: 'internal-db', typ: 'at+jwt' })
    },
  }
}

describe('the JWKS', () => {
  test('shows public members alone, the same from every process, for less long than a key is shown before it signs', async () => {
    for (const product of [one, two]) {
      const response = await fetch(`${product.url}/.well-known/jwks.json`)
      expect(response.headers.get('cache-control')).toBe(`public, max-age=${overlap / 2}`)
      for (const key of ((await response.json()) as JSONWebKeySet).keys)
        expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    }
    expect(await shown(one)).toEqual(await shown(two))
    expect(await shown(one)).toContain(kidOf(await mint(two)))
  })
})

describe('a rotation', () => {
  test('shows the next key everywhere before it signs, and keeps the last one', async () => {
    const before = await mint(one)
    const next = await rotate()
    expect(next).toMatchObject({ state: 'published', source: 'generated', stops_at: null, removed_at: null })
    expect(await rotate()).toEqual(next)
    expect(await shown(one)).toContain(next.kid)
    await eventually('the other process to know', async () => (await shown(two)).includes(next.kid))
    await signs(next.kid, one)
    await signs(next.kid, two)
    const states = (await list()).map(({ kid, state }) => [kid, state])
    expect(states).toContainEqual([kidOf(before), 'verifying'])
    expect(states.at(-1)).toEqual([next.kid, 'signing'])
    for (const product of [one, two]) expect(await shown(product)).toContain(kidOf(before))
    expect((await alice.call('GET', '/me')).status).toBe(200)
  })

  test('while tokens are minted breaks none, for whoever keeps the JWKS as long as it may', async () => {
    const parties = [relyingParty(one), relyingParty(two)] as const
    const tokens: string[] = []
    const rotations = 3
    const over = new AbortController()
    const race = async (index: number) => {
      while (!over.signal.aborted) {
        const token = await mint(index % 2 === 0 ? one : two)
        tokens.push(token)
        await parties[index % 4 < 2 ? 0 : 1].verify(token)
      }
    }
    const rotating = async () => {
      for (let done = 0; done < rotations; done++) await signs((await rotate()).kid)
      over.abort()
    }
    await Promise.all([rotating(), ...Array.from({ length: 8 }, (_, index) => race(index))])
    expect(new Set(tokens.map(kidOf)).size).toBeGreaterThanOrEqual(rotations)
    for (const party of [relyingParty(one), relyingParty(two)])
      for (const token of tokens) await party.verify(token)
  }, 120_000)
})

describe('a key that is removed', () => {
  /** A token of the API itself, by the key that signs now. */
  const apiToken = async (kid: string) => {
    await signs(kid, one)
    const keeping = { sql: one.sql, sealer: createSealer(settings.secrets_key), policy }
    const iat = Math.floor(Date.now() / 1_000)
    const { signer } = await openKeyring(keeping, issuer)
    return (await signer.sign({ sub: alice.id, aud: issuer }, { iat, exp: iat + 300 })).token
  }
  const me = async (product: TestProduct, token: string) => callerOf(product.url, token)('GET', '/me')

  test('is out of the JWKS and refused at once, and in every process as soon as it is told; another one signs', async () => {
    const { kid } = await rotate()
    const token = await apiToken(kid)
    expect((await me(two, token)).status).toBe(200)
    expect((await admin.call('DELETE', `/signing-keys/${kid}`)).status).toBe(204)
    expect(await shown(one)).not.toContain(kid)
    expectRefusal(await me(one, token), 401, 'unauthenticated')
    await eventually('the other process to know', async () => (await me(two, token)).status === 401)
    expect(await shown(two)).not.toContain(kid)
    for (const product of [one, two]) expect(kidOf(await mint(product))).toBe(await signing())
    expect((await list()).find((key) => key.kid === kid)).toMatchObject({ state: 'removed' })
    expectRefusal(await admin.call('DELETE', `/signing-keys/${kid}`), 404, 'not_found')
  })

  test('is noticed also where nobody is told', async () => {
    const { kid } = await rotate()
    const token = await apiToken(kid)
    await one.sql`update signing_keys set removed_at = clock_timestamp(), private_part = null, key_id = null where kid = ${kid}`
    for (const product of [one, two])
      await eventually('the process to look', async () => (await me(product, token)).status === 401)
    await rotate()
    expect(await signing()).not.toBe('')
  })

  test('while it is being rotated leaves a key that signs', async () => {
    for (let round = 0; round < 5; round++) {
      const kid = await signing()
      await Promise.all([
        rotate(),
        admin.call('DELETE', `/signing-keys/${kid}`),
        rotate(),
        mint(one),
        mint(two),
      ])
      await eventually('a key that signs', async () => (await shown(two)).includes(kidOf(await mint(two))))
    }
  }, 60_000)
})

describe('keys are not for', () => {
  test('who does not manage', async () => {
    const kid = await signing()
    expectRefusal(await alice.call('GET', '/signing-keys'), 403, 'forbidden')
    expectRefusal(await alice.call('POST', '/signing-keys/rotate'), 403, 'forbidden')
    expectRefusal(await alice.call('DELETE', `/signing-keys/${kid}`), 403, 'forbidden')
    expect(await signing()).toBe(kid)
  })

  test.each(['x', '%00', '..%2f', `'%20or%20true--`, 'x'.repeat(501)])('the name %s', async (kid) => {
    expectRefusal(await admin.call('DELETE', `/signing-keys/${kid}`), 404, 'not_found')
  })
})

test('Every key that came or was removed is on record once, by who did it', async () => {
  const keys = await list()
  const events = await rows<{ kind: string; kid: string; actor_email: string | null }>(one.sql`
    select kind, detail ->> 'kid' as kid, actor_email from audit_events where object_type = 'signing_key'`)
  const created = events.filter(({ kind }) => kind === 'signing_key.created')
  expect(created.map(({ kid }) => kid).sort()).toEqual(keys.map(({ kid }) => kid).sort())
  const removed = events.filter(({ kind }) => kind === 'signing_key.removed')
  expect(new Set(removed.map(({ kid }) => kid)).size).toBe(removed.length)
  expect(new Set(removed.map(({ actor_email }) => actor_email))).toEqual(new Set(['admin@example.com']))
})
