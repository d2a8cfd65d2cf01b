import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { encodeCursor } from '../../../db/paging.ts'
import type { Identity } from '../../../domain/directory.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import { addApplication, addGroup, addMapping, addMember, addPerson } from '../../setup/people.ts'

type Row = { id?: string; identity_id?: string }
type Page = { data: Row[]; next_cursor: string | null }
type List = { path: string; add: () => Promise<{ id: string }>; remove: (id: string) => Promise<unknown> }

let database: TestDatabase
let api: TestApi
let caller: Identity
const lists: Record<string, List> = {}
const names = ['identities', 'groups', 'applications', 'members', 'mappings']

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql)
  const { sql } = database
  caller = await addPerson(sql)
  const group = await addGroup(sql)
  const app = await addApplication(sql)
  const addMemberOfGroup = async () => {
    const person = await addPerson(sql)
    await addMember(sql, group, person)
    return person
  }
  Object.assign(lists, {
    identities: {
      path: '/identities',
      add: () => addPerson(sql),
      remove: (id: string) => sql`delete from identities where id = ${id}`,
    },
    groups: {
      path: '/groups',
      add: () => addGroup(sql),
      remove: (id: string) => sql`delete from groups where id = ${id}`,
    },
    applications: {
      path: '/applications',
      add: () => addApplication(sql),
      remove: (id: string) => sql`delete from applications where id = ${id}`,
    },
    members: {
      path: `/groups/${group.id}/members`,
      add: addMemberOfGroup,
      remove: (id: string) => sql`delete from memberships where identity_id = ${id}`,
    },
    mappings: {
      path: `/applications/${app.id}/mappings`,
      add: () => addMapping(sql, app),
      remove: (id: string) => sql`delete from app_mappings where id = ${id}`,
    },
  } satisfies Record<string, List>)
})
afterAll(() => database.drop())

const listOf = (name: string): List => {
  const list = lists[name]
  if (list === undefined) throw new Error(`there is no list of ${name}`)
  return list
}
const get = (path: string, query: Record<string, string> = {}) =>
  api.call<Page>('GET', `${path}?${new URLSearchParams(query).toString()}`, { as: caller.id })
const idOf = ({ id, identity_id }: Row) => id ?? identity_id ?? ''

async function readAll(path: string, limit: string): Promise<string[]> {
  const ids: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { body }: { body: Page } = await get(path, cursor === '' ? { limit } : { limit, cursor })
    expect(body.data.length).toBeLessThanOrEqual(Number(limit))
    ids.push(...body.data.map(idOf))
    cursor = body.next_cursor
  }
  return ids
}

describe.each(names)('The list of %s', (name) => {
  test('comes in pages that hold each row once, in one order', async () => {
    const { path, add } = listOf(name)
    const added = [await add(), await add(), await add(), await add(), await add()]
    const inPages = await readAll(path, '2')
    expect(inPages).toEqual(await readAll(path, '200'))
    expect(new Set(inPages).size).toBe(inPages.length)
    expect(inPages).toEqual(expect.arrayContaining(added.map(({ id }) => id)))
  })

  test('is stable while rows are added and removed between its pages', async () => {
    const { path, add, remove } = listOf(name)
    const before = await readAll(path, '200')
    const [first, second, third] = [await add(), await add(), await add()]
    const page = await get(path, { limit: String(before.length + 1) })
    expect(page.body.data.map(idOf)).toEqual([...before, first.id])
    await remove(first.id)
    await remove(second.id)
    const fourth = await add()
    const rest = await get(path, { cursor: page.body.next_cursor ?? '' })
    expect(rest.body.data.map(idOf)).toEqual([third.id, fourth.id])
    expect(rest.body.next_cursor).toBeNull()
  })

  test.each(['0', '-1', '201', '1.5', 'ten', '', '1e400'])('refuses a limit of "%s"', async (limit) => {
    expectRefusal(await get(listOf(name).path, { limit }), 422, 'invalid_request', '/limit')
  })

  test('refuses a cursor that was tampered with, made up, or given by another list', async () => {
    const { path, add } = listOf(name)
    const [row] = [await add(), await add()]
    const { body } = await get(path, { limit: '1' })
    const given = body.next_cursor ?? ''
    const cursors = [
      '',
      'x',
      `${given}=`,
      given.slice(0, -2),
      given.toUpperCase(),
      Buffer.from('{"id":1}').toString('base64url'),
      Buffer.from(`["${name}","' or 1=1 --"]`).toString('base64url'),
      encodeCursor('access-requests', row.id),
      encodeCursor(`members/${crypto.randomUUID()}`, row.id),
      'A'.repeat(600),
    ]
    for (const cursor of cursors) {
      expectRefusal(await get(path, { cursor }), 422, 'invalid_request', '/cursor')
    }
  })

  test('is for callers with a token only', async () => {
    const answer = await api.call('GET', listOf(name).path)
    expectRefusal(answer, 401, 'unauthenticated')
    expect(answer.headers.get('www-authenticate')).toContain('Bearer')
  })
})
