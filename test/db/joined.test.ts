import { afterAll, beforeAll, expect, test } from 'vitest'

import { getRow } from '../../db/client.ts'
import type { Sql } from '../../db/client.ts'
import { joined } from '../../db/joined.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'

let database: TestDatabase
let sql: Sql

beforeAll(async () => {
  database = await createTestDatabase()
  sql = database.sql
  await sql`create table facts (value integer not null)`
})
afterAll(() => database.drop())

/** Tells each how many facts there are, and how many asked together. */
function createCount() {
  const sizes: number[] = []
  const count = joined<string, { item: string; facts: number }>(async (sql, items) => {
    sizes.push(items.length)
    const { facts } = await getRow<{ facts: number }>(
      sql`select count(*)::int as facts from facts, pg_sleep(0.01)`,
    )
    return items.map((item) => ({ item, facts }))
  })
  return { count, sizes }
}

test('What is asked for while others are under way is asked for at once, and each gets its own answer', async () => {
  const { count, sizes } = createCount()
  const items = Array.from({ length: 200 }, (_, index) => `item ${index}`)
  const answers = await Promise.all(items.map((item) => count(sql, item)))
  expect(answers.map(({ item }) => item)).toEqual(items)
  expect(sizes.length).toBeLessThan(10)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(64)
})

test('An answer tells of everything that was committed before it was asked for', async () => {
  const { count } = createCount()
  await sql`truncate facts`
  let committed = 0
  const readers = Array.from({ length: 8 }, async () => {
    for (let round = 0; round < 15; round++) {
      const before = committed
      expect((await count(sql, 'x')).facts).toBeGreaterThanOrEqual(before)
    }
  })
  for (let round = 0; round < 20; round++) {
    await sql`insert into facts values (1)`
    committed++
  }
  await Promise.all(readers)
})

test('A failure is told to all who asked together, and to nobody after them', async () => {
  let isBroken = true
  const ask = joined<number, number>(async (_, items) => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    if (isBroken) throw new Error('the database is away')
    return items
  })
  const answers = await Promise.allSettled([1, 2, 3, 4].map((item) => ask(sql, item)))
  expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected'])
  isBroken = false
  expect(await Promise.all([5, 6, 7].map((item) => ask(sql, item)))).toEqual([5, 6, 7])
})
