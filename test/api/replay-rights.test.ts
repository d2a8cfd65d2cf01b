import { generateKeyPairSync, randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { rows } from '../../db/client.ts'
import type { Sql } from '../../db/client.ts'
import { createTestApi, expectRefusal } from '../setup/api.ts'
import type { TestApi } from '../setup/api.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'
import {
  addAdmin,
  addGroup,
  addMember,
  addPerson,
  addRequest,
  addServiceAccount,
  addTemplate,
} from '../setup/people.ts'

type One = { id: string }

let database: TestDatabase
let sql: Sql
let api: TestApi
let person: One

beforeAll(async () => {
  database = await createTestDatabase()
  sql = database.sql
  api = await createTestApi(sql)
})
afterAll(() => database.drop())
beforeEach(async () => {
  person = await addPerson(sql)
})

type Write = { method?: string; path: string; body?: object }

/** The same write as often as it is called, under one key. */
function under({ method = 'POST', path, body }: Write, as = person.id) {
  const headers = { 'idempotency-key': randomUUID() }
  return () => api.call(method, path, { as, headers, ...(body && { body }) })
}

const isReplayed = ({ headers }: { headers: Headers }) => headers.get('idempotency-replayed') === 'true'

const leave = (group: One, who: One = person) =>
  sql`delete from memberships where group_id = ${group.id} and identity_id = ${who.id}`

describe('A kept answer is not shown again to whoever has lost the permission that it took', () => {
  const name = () => `n-${randomUUID()}`

  test.each([
    ['directory.manage', () => ({ path: '/groups', body: { name: name() } })],
    ['templates.manage', async () => ({ path: '/access-request-templates', body: await templateBody() })],
    ['applications.manage', () => ({ path: '/applications', body: { name: name(), slug: name() } })],
    [
      'scripts.manage',
      () => ({
        method: 'PUT',
        path: `/secrets/S_${Date.now()}`,
        body: { value: 'long enough a value', hosts: ['a.example'] },
      }),
    ],
  ] as const)('%s', async (permission, write) => {
    const group = await addGroup(sql, [person], { permissions: [permission] })
    const send = under(await write())
    const first = await send()
    expect([first.status < 300, isReplayed(first)]).toEqual([true, false])
    expect((await send()).body).toEqual(first.body)
    await leave(group)
    const refused = await send()
    expectRefusal(refused, 403, 'forbidden')
    expect(refused.body['detail']).toContain(permission)
    expect(JSON.stringify(refused.body)).not.toContain(String(first.body['id'] ?? first.body['name']))
    const implied = await addGroup(sql, [person], { permissions: ['access_requests.manage'] })
    const again = await send()
    expect([again.status, again.body, isReplayed(again)]).toEqual([first.status, first.body, true])
    await leave(implied)
  })

  const templateBody = async () => {
    const { app_id } = await addTemplate(sql)
    return { name: name(), app_id, allowed_durations: [60] }
  }

  test('nor that it was carried out', async () => {
    const group = await addGroup(sql, [person], { permissions: ['directory.manage'] })
    const other = await addGroup(sql)
    const send = under({ method: 'DELETE', path: `/groups/${other.id}` })
    expect((await send()).status).toBe(204)
    await leave(group)
    expectRefusal(await send(), 403, 'forbidden')
  })
})

describe('A kept answer is not shown again to whoever', () => {
  test('does not see the request any more', async () => {
    const [asker, group] = [await addPerson(sql), await addGroup(sql, [person])]
    const template = await addTemplate(sql, { approver_group_ids: [group.id] })
    const id = await addRequest(sql, template, asker)
    const send = under({ path: `/access-requests/${id}/messages`, body: { body: 'Why so long?' } })
    const first = await send()
    expect(first.status).toBe(201)
    await leave(group)
    expectRefusal(await send(), 404, 'not_found')
    await addMember(sql, group, person)
    const again = await send()
    expect([again.body, isReplayed(again)]).toEqual([first.body, true])
    expect(await rows(sql`select id from messages where request_id = ${id}`)).toHaveLength(1)
  })

  test('does not own the machine any more', async () => {
    const machine = await addServiceAccount(sql, person.id)
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = publicKey.export({ format: 'jwk' })
    const path = `/identities/${machine.id}/credentials`
    const add = under({ path, body: { type: 'public_key', jwk } })
    const made = await add()
    expect([made.status, isReplayed(await add())]).toEqual([201, true])
    const remove = under({ method: 'DELETE', path: `${path}/${String(made.body['id'])}` })
    expect([(await remove()).status, isReplayed(await remove())]).toEqual([204, true])
    await sql`update identities set owner_id = ${(await addPerson(sql)).id} where id = ${machine.id}`
    for (const send of [add, remove]) expectRefusal(await send(), 403, 'forbidden')
  })

  test('is disabled', async () => {
    const send = under({ path: '/groups', body: { name: randomUUID() } })
    await addGroup(sql, [person], { permissions: ['directory.manage'] })
    expect((await send()).status).toBe(201)
    await sql`update identities set status = 'disabled' where id = ${person.id}`
    expectRefusal(await send(), 401, 'unauthenticated')
  })

  test('is somebody else, admin or not, who has guessed the key', async () => {
    const admin = await addAdmin(sql)
    const write = { path: '/groups', body: { name: randomUUID() } }
    const headers = { 'idempotency-key': randomUUID() }
    await addGroup(sql, [person], { permissions: ['directory.manage'] })
    const send = (as: string) => api.call('POST', write.path, { as, headers, body: write.body })
    expect((await send(person.id)).status).toBe(201)
    expectRefusal(await send(admin.id), 409, 'name_taken')
  })
})
