import { createHash } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { rows } from '../../db/client.ts'
import type { Secret } from '../../domain/secret.ts'
import { createTestApi, expectRefusal } from '../setup/api.ts'
import type { TestApi } from '../setup/api.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'
import { addAdmin, addPerson } from '../setup/people.ts'

let database: TestDatabase
let api: TestApi
let admin: string
let person: string
const said: string[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql, {
    logError: (message, error) => said.push(`${message} ${String(error)}`),
  })
  admin = (await addAdmin(database.sql)).id
  person = (await addPerson(database.sql)).id
})
afterAll(() => database.drop())

const value = 'canary-7f3a9c'
const good = { value, hosts: ['hooks.slack.com'] }

const put = (name: string, body: unknown, headers?: Record<string, string>) =>
  api.call<Secret>('PUT', `/secrets/${name}`, { as: admin, body, ...(headers && { headers }) })
const list = async (query = '') =>
  (await api.call<{ data: Secret[]; next_cursor: string | null }>('GET', `/secrets${query}`, { as: admin }))
    .body
const audited = (name: string) =>
  rows<{ kind: string; detail: unknown }>(
    database.sql`select kind, detail from audit_events where detail ->> 'name' = ${name} order by seq`,
  )

describe('a secret', () => {
  test('is kept, listed without its value, replaced and deleted', async () => {
    const first = await put('LIFE', good)
    expect(first.status).toBe(200)
    expect(Object.keys(first.body).sort()).toEqual(['created_at', 'hosts', 'name', 'updated_at'])
    expect((await list()).data).toEqual([first.body])
    const second = await put('LIFE', { value: 'another-value', hosts: ['*.example.com', 'internal:8080'] })
    expect(second.body).toMatchObject({
      hosts: ['*.example.com', 'internal:8080'],
      created_at: first.body.created_at,
    })
    expect(second.body.updated_at > first.body.updated_at).toBe(true)
    expect((await api.call('DELETE', '/secrets/LIFE', { as: admin })).status).toBe(204)
    expect((await list()).data).toEqual([])
    expect(await audited('LIFE')).toEqual([
      { kind: 'secret.created', detail: { name: 'LIFE', hosts: ['hooks.slack.com'] } },
      { kind: 'secret.updated', detail: { name: 'LIFE', hosts: ['*.example.com', 'internal:8080'] } },
      { kind: 'secret.deleted', detail: { name: 'LIFE' } },
    ])
  })

  test('that is not there cannot be deleted', async () =>
    expectRefusal(await api.call('DELETE', '/secrets/NONE', { as: admin }), 404, 'not_found'))

  test('is put once under an Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'put-once' }
    const first = await put('ONCE', good, headers)
    const again = await put('ONCE', good, headers)
    expect(again.body).toEqual(first.body)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expectRefusal(await put('ONCE', { ...good, value: 'another' }, headers), 422, 'idempotency_key_reused')
    expect(await audited('ONCE')).toHaveLength(1)
  })

  test('cannot be guessed from what is kept of a call under an Idempotency-Key', async () => {
    await put('GUESSED', good, { 'idempotency-key': 'put-guessed' })
    const [kept] = await rows<{ fingerprint: string }>(
      database.sql`select fingerprint from idempotency_keys where key = 'put-guessed'`,
    )
    const guess = JSON.stringify(['PUT', '/api/v1/secrets/GUESSED', '', JSON.stringify(good)])
    expect(kept?.fingerprint).toMatch(/^[\w-]{43}$/)
    expect(kept?.fingerprint).not.toBe(createHash('sha256').update(guess).digest('base64url'))
    await api.call('DELETE', '/secrets/GUESSED', { as: admin })
  })

  test('is listed page by page', async () => {
    for (const name of ['P1', 'P2', 'P3']) await put(name, good)
    const page = await list('?limit=2')
    const rest = await list(`?limit=200&cursor=${page.next_cursor}`)
    const names = [...page.data, ...rest.data].map(({ name }) => name)
    expect(names).toEqual(['ONCE', 'P1', 'P2', 'P3'])
  })
})

describe('is refused', () => {
  test.each([
    ['without a value', { hosts: [] }, '/value'],
    ['without hosts', { value }, '/hosts'],
    ['with a value that is too short to mask', { value: 'abc', hosts: [] }, '/value'],
    ['with a value that is no text', { value: 1234, hosts: [] }, '/value'],
    ['with a value that holds NUL', { value: 'abcd\0', hosts: [] }, '/value'],
    ['with a value that is too long', { value: 'a'.repeat(32_769), hosts: [] }, '/value'],
    ['with a host that is a URL', { value, hosts: ['ok.example', 'https://hooks.slack.com/'] }, '/hosts/1'],
    ['with a host that is everything', { value, hosts: ['*'] }, '/hosts/0'],
    ['with an address in disguise', { value, hosts: ['2130706433:80'] }, '/hosts/0'],
    ['with a field of its own', { value, hosts: [], note: '' }, '/note'],
  ])('%s', async (_, body, pointer) => {
    const answer = await put('REFUSED', body)
    expectRefusal(answer, 422, 'invalid_request', pointer)
    expect(JSON.stringify(answer.body)).not.toContain('canary')
  })

  test.each(['1ST', 'with-dash', '__proto__', 'a%2Fb', 'x'.repeat(101), '%20'])(
    'by its name %s',
    async (name) => expectRefusal(await put(name, good), 422, 'invalid_request', '/name'),
  )

  test('to whoever is no admin', async () => {
    for (const [method, path] of [
      ['GET', '/secrets'],
      ['PUT', '/secrets/X'],
      ['DELETE', '/secrets/ONCE'],
    ] as const) {
      const body = method === 'PUT' ? { body: good } : {}
      expectRefusal(await api.call(method, path, { as: person, ...body }), 403, 'forbidden')
      expectRefusal(await api.call(method, path, body), 401, 'unauthenticated')
    }
  })
})

test('no answer, log or row has shown the value', async () => {
  const tables = await rows<{ name: string }>(
    database.sql`select table_name as name from information_schema.tables where table_schema = 'public'`,
  )
  for (const { name } of tables) {
    const found = await rows<{ text: string }>(
      database.sql`select t::text as text from ${database.sql(name)} t where t::text like ${'%canary%'}`,
    )
    expect(found, name).toEqual([])
  }
  expect(JSON.stringify(await list())).not.toContain('canary')
  expect(said).toEqual([])
})
