import { generateKeyPairSync } from 'node:crypto'

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'

import { createTokenSigner } from '../../../api/token-signer.ts'
import type { TokenSigner } from '../../../api/token-signer.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import { addAdmin, addApplication } from '../../setup/people.ts'
import { formOf } from './machines.ts'

const issuer = 'http://hallpass.test'

let database: TestDatabase
let api: TestApi
let signer: TokenSigner
let admin: string
let app: { id: string }

beforeAll(async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  signer = await createTokenSigner(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), issuer)
  database = await createTestDatabase()
  api = await createTestApi(database.sql, { signer })
  admin = (await addAdmin(database.sql)).id
  app = await addApplication(database.sql)
})
afterEach(() => vi.useRealTimers())
afterAll(() => database.drop())

/** The clock of this process, seconds away from that of the database. */
const setClock = (seconds: number) =>
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1_000 })

/** A token for the API that has a minute, or what is said, left by the database's clock. */
async function bearing(left = 60): Promise<{ token: string; authorization: string }> {
  const now = Math.floor(Date.now() / 1_000)
  const { token } = await signer.sign({ sub: admin, aud: issuer }, { iat: now - 240, exp: now + left })
  return { token, authorization: `Bearer ${token}` }
}

const introspect = (token: string, authorization: string) =>
  api.call('POST', '/../../oauth/introspect', {
    body: formOf({ token }),
    headers: { 'content-type': 'application/x-www-form-urlencoded', authorization },
  })

describe('Where the clock of a process is two minutes late', () => {
  test('a token that has ended by the database’s clock opens nothing, and is not active', async () => {
    const [ended, good] = [await bearing(-30), await bearing()]
    setClock(-120)
    const headers = { authorization: ended.authorization }
    expectRefusal(await api.call('GET', '/me', { headers }), 401, 'unauthenticated')
    expectRefusal(
      await api.call('POST', `/applications/${app.id}/token`, { headers }),
      401,
      'unauthenticated',
    )
    expect((await introspect(ended.token, good.authorization)).body).toEqual({ active: false })
    expect(await introspect(good.token, ended.authorization)).toMatchObject({
      status: 401,
      body: { error: 'invalid_token' },
    })
  })

  test('one that goes on opens it', async () => {
    const good = await bearing()
    setClock(-120)
    const headers = { authorization: good.authorization }
    expect((await api.call('GET', '/me', { headers })).status).toBe(200)
    expect((await introspect(good.token, good.authorization)).body).toMatchObject({ active: true })
  })
})

test('Where the clock of a process is early, a token ends early there', async () => {
  const good = await bearing()
  setClock(120)
  const headers = { authorization: good.authorization }
  expectRefusal(await api.call('GET', '/me', { headers }), 401, 'unauthenticated')
})
