import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { findCaller } from '../../db/directory/caller.ts'
import { createToken } from '../../db/sign-in/personal-access-tokens.ts'
import type { Scope } from '../../domain/session.ts'
import type { Identity } from '../../domain/directory.ts'
import { createTestApi, expectRefusal } from '../setup/api.ts'
import type { TestApi } from '../setup/api.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'
import { addAdmin } from '../setup/people.ts'

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

test('No write of the document passes a token that may only read', async () => {
  expect(writes.length).toBeGreaterThan(30)
  const token = await tokenOf('read')
  for (const write of writes) expectRefusal(await send(token, write), 403, 'forbidden')
})

test('Every write but asking, speaking and deciding needs the scope admin, whatever its holder may', async () => {
  const token = await tokenOf('read', 'request', 'decide')
  for (const write of writes) {
    const answer = await send(token, write)
    const isOutside = answer.status === 403 && answer.body.detail.includes('personal access token')
    const isAdmins = answer.status === 403 && answer.body.detail.includes('the scope admin')
    expect([write, isOutside || isAdmins]).toEqual([write, !withoutAdmin.includes(write)])
  }
})

test('Nothing that makes a credential passes a token of all scopes', async () => {
  const token = await tokenOf('read', 'request', 'decide', 'admin')
  const makers = writes.filter((write) => /^P\w+ .*(token|credential|provider|signing-key)/.test(write))
  const minted = 'POST /applications/{id}/token'
  expect(makers).toContain(minted)
  for (const write of makers.filter((each) => each !== minted)) {
    const answer = await send(token, write)
    expectRefusal(answer, 403, 'forbidden')
    expect(answer.body.detail).toContain('sign in for that')
  }
})
