import { randomBytes, randomUUID } from 'node:crypto'

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'

import { openKeyring } from '../../../api/keyring.ts'
import { rows } from '../../../db/client.ts'
import { createSealer } from '../../../db/sealing.ts'
import { keepSigningKeys } from '../../../db/signing-keys/keep.ts'
import { createTestApi } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import { addAdmin, addPerson, addServiceAccount } from '../../setup/people.ts'
import { formOf } from './machines.ts'

const issuer = 'http://hallpass.test'

let database: TestDatabase
let api: TestApi
let admin: string
let machine: { id: string; secret: string }

beforeAll(async () => {
  database = await createTestDatabase()
  const { sql } = database
  const policy = { rotation_days: 90, overlap_seconds: 600 }
  const keeping = { sql, sealer: createSealer([randomBytes(32)]), policy }
  await keepSigningKeys(keeping)
  const { signer } = await openKeyring(keeping, issuer)
  api = await createTestApi(sql, { signer, logError: () => undefined })
  admin = (await addAdmin(sql)).id
  const { id } = await addServiceAccount(sql, (await addPerson(sql)).id)
  const made = await api.call('POST', `/identities/${id}/credentials`, {
    as: admin,
    body: { type: 'client_secret' },
  })
  machine = { id, secret: String(made.body['client_secret']) }
})
afterEach(() => vi.restoreAllMocks())
afterAll(() => database.drop())

const client = () => ({ client_id: machine.id, client_secret: machine.secret })

const post = (endpoint: string, fields: object, headers: Record<string, string> = {}) =>
  api.call('POST', `/../../oauth/${endpoint}`, {
    body: formOf({ ...fields }),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  })

/** This process has read the signing keys too long ago to believe its copy. */
function loseKeys(): void {
  const at = performance.now()
  vi.spyOn(performance, 'now').mockReturnValue(at + 31_000)
}

function expectUnavailable(answer: Awaited<ReturnType<typeof post>>): void {
  expect(answer.body).toMatchObject({ error: 'temporarily_unavailable' })
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5'])
}

const revocations = () => rows(database.sql`select jti from revoked_tokens`)

describe('While the keys cannot be read', () => {
  test('a token is not called inactive, whoever asks, nor what is none', async () => {
    const token = await api.tokenFor(machine.id)
    loseKeys()
    for (const shown of [token, 'x', `${token}x`])
      expectUnavailable(await post('introspect', { ...client(), token: shown }))
  })

  test('a token that is to be revoked is not called revoked', async () => {
    const token = await api.tokenFor(machine.id)
    loseKeys()
    expectUnavailable(await post('revoke', { ...client(), token }))
    expect(await revocations()).toEqual([])
  })

  test('whoever asks by a token is not told that theirs is wrong', async () => {
    const token = await api.tokenFor(machine.id)
    const own = await api.tokenFor(admin)
    loseKeys()
    for (const scheme of ['Bearer', 'DPoP'])
      for (const endpoint of ['introspect', 'revoke'])
        expectUnavailable(await post(endpoint, { token }, { authorization: `${scheme} ${own}` }))
    const authorization = `Bearer ${own}`
    expect(await api.call('GET', '/me', { headers: { authorization } })).toMatchObject({ status: 503 })
  })
})

describe('While the database cannot be asked', () => {
  test('a token is not called inactive', async () => {
    const token = await api.tokenFor(machine.id)
    const away = await createTestDatabase()
    const { signer } = await openKeyring(
      {
        sql: database.sql,
        sealer: createSealer([randomBytes(32)]),
        policy: { rotation_days: 90, overlap_seconds: 600 },
      },
      issuer,
    )
    const cutOff = await createTestApi(away.sql, { signer, logError: () => undefined })
    await away.drop()
    const answer = await cutOff.call('POST', '/../../oauth/introspect', {
      body: formOf({ ...client(), token }),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expectUnavailable(answer)
  })
})

describe('With keys at hand', () => {
  test('what is no token of ours is inactive, and needs no revocation', async () => {
    const token = await api.tokenFor(machine.id)
    for (const shown of ['x', 'a.b.c', `${token}x`, token.replace(/^\w/, 'A'), randomUUID()]) {
      expect(await post('introspect', { ...client(), token: shown })).toMatchObject({
        status: 200,
        body: { active: false },
      })
      expect((await post('revoke', { ...client(), token: shown })).status).toBe(200)
    }
    expect((await post('introspect', { ...client(), token })).body['active']).toBe(true)
    expect(await revocations()).toEqual([])
  })

  test('whoever shows what is no token is told so', async () => {
    const token = await api.tokenFor(machine.id)
    for (const authorization of ['Bearer x', `Bearer ${token}x`, `DPoP ${token}`])
      expect(await post('introspect', { token }, { authorization })).toMatchObject({
        status: 401,
        body: { error: 'invalid_token' },
      })
  })
})
