import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { Identity } from '../../../domain/directory.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import { addAdmin, addPerson, addServiceAccount } from '../../setup/people.ts'

type List = { data: Identity[]; next_cursor: string | null }

let database: TestDatabase
let api: TestApi
let admin: string

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql)
  admin = (await addAdmin(database.sql)).id
})
afterAll(() => database.drop())

const list = (query: string) => api.call<List>('GET', `/identities${query}`, { as: admin })
const idsOf = async (query: string) => (await list(query)).body.data.map(({ id }) => id)
const owned = async () => {
  const owner = await addPerson(database.sql)
  return { owner: owner.id, machine: (await addServiceAccount(database.sql, owner.id)).id }
}
const patch = (id: string, body: object) => api.call('PATCH', `/identities/${id}`, { as: admin, body })

describe('Machines that no active person owns', () => {
  test('are those of an owner who is disabled or has ended, and no others', async () => {
    const [kept, left, ended] = [await owned(), await owned(), await owned()]
    expect(await idsOf('?orphaned=true')).toEqual([])
    await patch(left.owner, { status: 'disabled' })
    await patch(ended.owner, { expires_at: '2020-01-01T00:00:00Z' })
    expect(await idsOf('?orphaned=true')).toEqual([left.machine, ended.machine])
    const others = await idsOf('?orphaned=false')
    for (const id of [admin, kept.machine, kept.owner, left.owner]) expect(others).toContain(id)
    for (const id of [left.machine, ended.machine]) expect(others).not.toContain(id)
    expect((await idsOf('')).toSorted()).toEqual([...others, left.machine, ended.machine].toSorted())
  })

  test('are found page by page, also when they are disabled themselves', async () => {
    const before = await idsOf('?orphaned=true')
    const { owner, machine } = await owned()
    await patch(machine, { status: 'disabled' })
    await patch(owner, { status: 'disabled' })
    const first = await list(`?orphaned=true&limit=${before.length}`)
    expect(first.body.data.map(({ id }) => id)).toEqual(before)
    expect(await idsOf(`?orphaned=true&cursor=${first.body.next_cursor}`)).toEqual([machine])
  })

  test('are so no more once somebody active owns them', async () => {
    const { owner, machine } = await owned()
    await patch(owner, { status: 'disabled' })
    expect(await idsOf('?orphaned=true')).toContain(machine)
    expect((await patch(machine, { owner_id: owner })).status).toBe(200)
    expect((await patch(machine, { owner_id: admin })).status).toBe(200)
    expect(await idsOf('?orphaned=true')).not.toContain(machine)
    expect((await patch(machine, { owner_id: owner })).status).toBe(422)
  })

  test.each(['?orphaned=yes', '?orphaned=', '?orphaned=1'])('are not found by %s', async (query) =>
    expectRefusal(await list(query), 422, 'invalid_request'),
  )

  test('are told to nobody who has not signed in', async () =>
    expectRefusal(await api.call('GET', '/identities?orphaned=true'), 401, 'unauthenticated'))
})
