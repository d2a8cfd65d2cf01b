import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { EligibleApprover, Group, Identity } from '../../domain/directory.ts'
import { createTestApi, expectRefusal } from '../setup/api.ts'
import type { TestApi } from '../setup/api.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'
import { addAdmin, addGroup, addMember, addPerson, addServiceAccount } from '../setup/people.ts'

type List = { data: EligibleApprover[]; next_cursor: string | null }

let database: TestDatabase
let api: TestApi
let admin: Identity
let approver: Identity
let group: Group

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql)
  const { sql } = database
  admin = await addAdmin(sql)
  approver = await addPerson(sql)
  group = await addGroup(sql, [approver])
})
afterAll(() => database.drop())

const list = (query: string, as = admin.id) => api.call<List>('GET', `/eligible-approvers${query}`, { as })
const idsOf = async (query: string) => (await list(query)).body.data.map(({ id }) => id)

describe('who could approve now', () => {
  test('are the people of the groups, each once', async () => {
    const other = await addGroup(database.sql, [approver, admin])
    expect(await idsOf(`?group_ids=${group.id}`)).toEqual([approver.id])
    expect((await idsOf(`?group_ids=${group.id},${other.id}`)).toSorted()).toEqual(
      [approver.id, admin.id].toSorted(),
    )
  })

  test('are the admins where no group is named', async () => {
    expect(await idsOf('')).toEqual([admin.id])
    expect(await idsOf('?group_ids=')).toEqual([admin.id])
  })

  test('are told with name and address, page by page', async () => {
    const others = await addGroup(database.sql, [
      await addPerson(database.sql),
      await addPerson(database.sql),
    ])
    const { body } = await list(`?group_ids=${others.id}&limit=1`)
    expect(Object.keys(body.data[0] ?? {}).toSorted()).toEqual(['display_name', 'email', 'id'])
    expect(await idsOf(`?group_ids=${others.id}&limit=1&cursor=${body.next_cursor}`)).toHaveLength(1)
  })

  test('are neither machines, nor who is disabled or has ended, nor past or absent members', async () => {
    const { sql } = database
    const past = await addPerson(sql)
    const ended = await addPerson(sql)
    const members = [
      await addServiceAccount(sql, admin.id),
      await addPerson(sql, { status: 'disabled' }),
      ended,
    ]
    const empty = await addGroup(sql, members)
    await addMember(sql, empty, past, '2999-01-01T00:00:00Z')
    await sql`update memberships set expires_at = now() - interval '1 second' where identity_id = ${past.id}`
    await sql`update identities set expires_at = now() - interval '1 second' where id = ${ended.id}`
    expect(await idsOf(`?group_ids=${empty.id}`)).toEqual([])
  })

  test('are not told to whoever manages no templates', async () => {
    expectRefusal(await list('', approver.id), 403, 'forbidden')
  })

  test.each(['?group_ids=nobody', '?group_ids=1,2', '?cursor=x', '?limit=0'])(
    'are not found for %s',
    async (query) => expectRefusal(await list(query), 422, 'invalid_request'),
  )
})
