import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { getRow } from '../../db/client.ts'
import { findCaller } from '../../db/directory/caller.ts'
import { createToken } from '../../db/sign-in/personal-access-tokens.ts'
import type { Scope } from '../../domain/session.ts'
import type { Identity } from '../../domain/directory.ts'
import { createTestApi, expectRefusal } from '../setup/api.ts'
import type { TestApi } from '../setup/api.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'
import { addAdmin, addApplication } from '../setup/people.ts'

vi.setConfig({ testTimeout: 120_000 })

let database: TestDatabase
let api: TestApi
let admin: Identity
let writes: string[]

type Document = { paths: Record<string, Record<string, unknown>> }

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql)
  admin = await addAdmin(database.sql)
  const { body } = await api.call<Document>('GET', '/openapi.json', { as: admin.id })
  const verbs = new Set(['post', 'put', 'patch', 'delete'])
  writes = Object.entries(body.paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((verb) => verbs.has(verb))
      .map((verb) => `${verb.toUpperCase()} ${path}`),
  )
})
afterAll(() => database.drop())

async function tokenOf(...scopes: Scope[]): Promise<string> {
  const caller = (await findCaller(database.sql, admin.id)) ?? expect.unreachable()
  const expires_at = new Date(Date.now() + 3_600_000).toISOString()
  const input = { name: 'all', scopes, expires_at }
  return (await createToken(database.sql, { id: crypto.randomUUID(), input, caller })).token
}

function send(token: string, write: string) {
  const [method = '', path = ''] = write.split(' ')
  const headers = { authorization: `Bearer ${token}` }
  return api.call<{ detail: string }>(
    method,
    path.replaceAll(/\{\w+\}/g, () => crypto.randomUUID()),
    {
      headers,
    },
  )
}

const withoutAdmin = [
  'POST /access-requests',
  'POST /access-requests/{id}/messages',
  'POST /access-requests/{id}/approve',
  'POST /access-requests/{id}/deny',
  'POST /access-requests/{id}/revoke',
]

const minted = 'POST /applications/{id}/token'

test('No write of the document passes a token that may only read', async () => {
  expect(writes.length).toBeGreaterThan(30)
  const token = await tokenOf('read')
  for (const write of writes) expectRefusal(await send(token, write), 403, 'forbidden')
})

test('Every write but asking, speaking, deciding and minting needs the scope admin, whatever its holder may', async () => {
  const token = await tokenOf('read', 'request', 'decide')
  for (const write of writes.filter((each) => each !== minted)) {
    const answer = await send(token, write)
    const isOutside = answer.status === 403 && answer.body.detail.includes('personal access token')
    const isAdmins = answer.status === 403 && answer.body.detail.includes('the scope admin')
    expect([write, isOutside || isAdmins]).toEqual([write, !withoutAdmin.includes(write)])
  }
})

test('Nothing that makes a credential passes a token of all scopes', async () => {
  const token = await tokenOf('read', 'request', 'decide', 'token', 'admin')
  const makers = writes.filter((write) => /^P\w+ .*(token|credential|provider|signing-key)/.test(write))
  expect(makers).toContain(minted)
  for (const write of makers.filter((each) => each !== minted)) {
    const answer = await send(token, write)
    expectRefusal(answer, 403, 'forbidden')
    expect(answer.body.detail).toContain('sign in for that')
  }
})

test('A token for an application comes of the scope token, and of no other', async () => {
  const answer = await send(await tokenOf('read', 'request', 'decide', 'admin'), minted)
  expectRefusal(answer, 403, 'forbidden')
  expect(answer.body.detail).toContain('the scope token')
  expectRefusal(await send(await tokenOf('token'), minted), 404, 'not_found')
})

test('The scope token does nothing else', async () => {
  const token = await tokenOf('token')
  for (const write of writes.filter((each) => each !== minted))
    expectRefusal(await send(token, write), 403, 'forbidden')
  expectRefusal(await send(token, 'GET /me'), 403, 'forbidden')
})

describe('What a token of the scope token gets for an application', () => {
  const mint = (token: string, app_id: string) =>
    api.call<{ access_token: string }>('POST', `/applications/${app_id}/token`, {
      headers: { authorization: `Bearer ${token}` },
    })

  test('ends when it ends, and does not open the API', async () => {
    const app = await addApplication(database.sql)
    const token = await tokenOf('token')
    await database.sql`update personal_access_tokens set expires_at = date_trunc('second', clock_timestamp()) + interval '100 seconds'`
    const { status, body } = await mint(token, app.id)
    expect(status).toBe(200)
    const { exp = 0, aud } = decodeJwt(body.access_token)
    const { ends } = await getRow<{ ends: number }>(
      database.sql`select extract(epoch from max(expires_at))::float8 as ends from personal_access_tokens`,
    )
    expect([aud, exp]).toEqual([app.slug, ends])
    expectRefusal(
      await api.call('GET', '/me', { headers: { authorization: `Bearer ${body.access_token}` } }),
      401,
      'unauthenticated',
    )
  })

  test('is nothing once it has ended, or was removed', async () => {
    const app = await addApplication(database.sql)
    const [ended, removed] = [await tokenOf('token'), await tokenOf('token')]
    await database.sql`update personal_access_tokens set expires_at = clock_timestamp()`
    expectRefusal(await mint(ended, app.id), 401, 'unauthenticated')
    await database.sql`delete from personal_access_tokens`
    expectRefusal(await mint(removed, app.id), 401, 'unauthenticated')
  })
})
