import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { openKeyring } from '../../api/keyring.ts'
import { rows } from '../../db/client.ts'
import type { Sql } from '../../db/client.ts'
import { createSealer } from '../../db/sealing.ts'
import { hashOf } from '../../db/secret-tokens.ts'
import { createPersonLink, useLink } from '../../db/sign-in/links.ts'
import { importSigningKey } from '../../db/signing-keys/keep.ts'
import { createTestApi } from '../setup/api.ts'
import type { TestApi } from '../setup/api.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'
import { addAdmin, addApplication, addServiceAccount } from '../setup/people.ts'

const issuer = 'http://hallpass.test'
const sealer = createSealer([randomBytes(32)])
const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })

let database: TestDatabase
let sql: Sql
let api: TestApi
let admin: { id: string; email: string }
/** Everything that opens something, by what it is. */
const secrets = new Map<string, string>()
let dump: string

/** Every row of every table, as text: what a thief of the database has. */
async function dumpAll(): Promise<string> {
  const tables = await rows<{ name: string }>(
    sql`select quote_ident(tablename) as name from pg_tables where schemaname = 'public'`,
  )
  const all = await Promise.all(
    tables.map(({ name }) =>
      rows<{ text: string }>(sql`select to_json(t)::text as text from ${sql.unsafe(name)} t`),
    ),
  )
  return all
    .flat()
    .map(({ text }) => text)
    .join('\n')
}

/** Makes something that is shown once, under a key by which the call could be repeated. */
async function make(path: string, body: object): Promise<Record<string, unknown>> {
  const headers = { 'idempotency-key': randomUUID() }
  const answer = await api.call('POST', path, { as: admin.id, body, headers })
  expect([path, answer.status]).toEqual([path, 201])
  return answer.body
}

async function makeAll(): Promise<[name: string, secret: unknown][]> {
  const machine = await addServiceAccount(sql, admin.id)
  const app = await addApplication(sql)
  const expires_at = new Date(Date.now() + 3_600_000).toISOString()
  const link = await createPersonLink(sql, admin.email)
  const spent = (await createPersonLink(sql, admin.email)) ?? ''
  const provider = {
    name: 'p',
    issuer: 'https://login.example.com',
    client_id: 'x',
    client_secret: randomUUID(),
  }
  await make('/sign-in-providers', provider)
  const value = randomUUID()
  await api.call('PUT', '/secrets/HOOK', { as: admin.id, body: { value, hosts: ['example.com'] } })
  const credential = await make(`/identities/${machine.id}/credentials`, { type: 'client_secret' })
  const personal = await make('/personal-access-tokens', { name: 'findable', scopes: ['read'], expires_at })
  const minted = await api.call('POST', `/applications/${app.id}/token`, { as: admin.id })
  return [
    ['the secret of a machine', credential['client_secret']],
    ['a personal access token', personal['token']],
    ['a SCIM token', (await make('/scim-tokens', { name: 's' }))['token']],
    ['a one-time link', link],
    ['a one-time link that was used', spent],
    ['the cookie of a session', await useLink(sql, { input: { code: spent }, replaced: undefined })],
    ['what a sign-in provider is shown', provider.client_secret],
    ['the secret of a script', value],
    ['a token for an application', minted.body['access_token']],
    ['the key that signs tokens', jwk.d],
  ]
}

beforeAll(async () => {
  database = await createTestDatabase()
  sql = database.sql
  const keeping = { sql, sealer, policy: { rotation_days: 90, overlap_seconds: 600 } }
  await importSigningKey(keeping, JSON.stringify(jwk))
  const { signer } = await openKeyring(keeping, issuer)
  api = await createTestApi(sql, { sealer, signer })
  admin = await addAdmin(sql)
  for (const [name, secret] of await makeAll()) secrets.set(name, String(secret))
  dump = await dumpAll()
})
afterAll(() => database.drop())

/** As it is, its characters in hexadecimal and base64, and the bytes that it may itself be the base64 of. */
const spellings = (secret: string): string[] => [
  secret,
  Buffer.from(secret).toString('hex'),
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  Buffer.from(secret).toString('base64url'),
  Buffer.from(secret, 'base64url').toString('hex'),
]

describe('a dump of the database', () => {
  test('holds what it should: the search finds what is there', () => {
    expect(dump).toContain('findable')
    for (const name of ['the secret of a machine', 'a personal access token', 'a SCIM token'])
      expect(dump).toContain(hashOf(secrets.get(name) ?? '').toString('hex'))
  })

  test('holds nothing that opens anything, in no spelling', () => {
    expect(secrets.size).toBe(10)
    for (const [name, secret] of secrets) {
      expect([name, secret]).toEqual([name, expect.stringMatching(/^.{36,}$/)])
      for (const text of spellings(secret)) expect([name, dump.includes(text)]).toEqual([name, false])
    }
  })

  test('holds nothing that would do in the place of what was hashed', async () => {
    const hash = hashOf(secrets.get('a personal access token') ?? '')
    for (const text of [hash.toString('hex'), `hpp_${hash.toString('base64url')}_AAAAAA`])
      for (const headers of [{ authorization: `Bearer ${text}` }, { cookie: `hallpass_session=${text}` }])
        expect((await api.call('GET', '/me', { headers })).status).toBe(401)
  })
})
