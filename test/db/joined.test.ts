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

test('What is never answered holds up nobody who asks later', async () => {
  let isDead = true
  const ask = joined<number, number>(
    (_, items) => (isDead ? Promise.withResolvers<never>().promise : Promise.resolve(items)),
    { patience_ms: 50 },
  )
  const first = await Promise.allSettled([ask(sql, 1), ask(sql, 2)])
  expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  isDead = false
  expect(await ask(sql, 3)).toBe(3)
})

test('Whoever comes when too many wait is told at once', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const ask = joined<number, number>(
    async (_, items) => {
      await promise
      return items
    },
    { most_waiting: 100 },
  )
  const items = Array.from({ length: 300 }, (_, index) => index)
  const asked = Promise.allSettled(items.map((item) => ask(sql, item)))
  await expect(ask(sql, -1)).rejects.toMatchObject({ code: 'unavailable' })
  resolve()
  const answers = await asked
  expect(answers.slice(0, 100)).toEqual(items.slice(0, 100).map((value) => ({ status: 'fulfilled', value })))
  expect(answers.slice(100).every(({ status }) => status === 'rejected')).toBe(true)
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
