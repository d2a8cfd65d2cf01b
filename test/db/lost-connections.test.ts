import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'

import { connect, getRow, isOutage, rows, transaction } from '../../db/client.ts'
import type { Db, Sql, Tx } from '../../db/client.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'

let database: TestDatabase
/** One connection, so that whoever comes next has the one that died. */
let sql: Sql

beforeAll(async () => {
  database = await createTestDatabase()
  await database.sql`create table facts (value integer not null)`
})
afterAll(() => database.drop())
beforeEach(async () => {
  await database.sql`delete from facts`
  sql = connect(database.url, { max: 1 })
})
afterEach(() => sql.end({ timeout: 1 }))

const pidOf = async (db: Db) => (await getRow<{ pid: number }>(db`select pg_backend_pid() as pid`)).pid
const killOf = (pid: number) => database.sql`select pg_terminate_backend(${pid})`
const facts = async () => (await getRow<{ n: number }>(database.sql`select count(*)::int as n from facts`)).n
const outcome = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (isOutage(error) ? 'outage' : String(error)),
  )

/** Ends the connection of a transaction while that waits for something else. */
async function loseBetweenStatements(tx: Tx): Promise<void> {
  await tx`insert into facts values (1)`
  await killOf(await pidOf(tx))
  await sleep(100)
}

test('A transaction whose connection dies between two statements is an outage, and nothing of it happens later', async () => {
  let wentOn = ''
  const lost = transaction(sql, async (tx) => {
    await loseBetweenStatements(tx)
    await sql`select 1`
    wentOn = await outcome(Promise.resolve().then(() => tx`insert into facts values (2)`))
    await tx`insert into facts values (3)`
  })
  expect(await outcome(lost)).toBe('outage')
  await expect.poll(() => wentOn).toBe('outage')
  await sleep(100)
  expect(await facts()).toBe(0)
})

test('A transaction that has nothing more to ask when its connection dies is not told as done', async () => {
  expect(await outcome(transaction(sql, loseBetweenStatements))).toBe('outage')
  expect(await facts()).toBe(0)
})

test('A transaction that fails by itself after its connection died leaves the connection to the next', async () => {
  const lost = transaction(sql, async (tx) => {
    await loseBetweenStatements(tx)
    throw new Error('of its own')
  })
  expect(await outcome(lost)).toBe('outage')
  expect(await outcome(transaction(sql, (tx) => tx`insert into facts values (4)`))).toBe('done')
  expect(await facts()).toBe(1)
})

test('A connection that dies under a statement of a transaction is there again at once', async () => {
  for (let round = 0; round < 3; round++) {
    const lost = transaction(sql, async (tx) => {
      const pid = await pidOf(tx)
      await Promise.all([tx`select pg_sleep(5)`, sleep(100).then(() => killOf(pid))])
    })
    expect(await outcome(lost)).toBe('outage')
    // What is said of the dead connection may reach the next statement, which is an outage too.
    await expect.poll(() => outcome(sql`select 1`)).toBe('done')
  }
})

test('Connections that end again and again, in every state, leave the pool whole, and what was told as done is done', {
  timeout: 60_000,
}, async () => {
  const pool = connect(database.url, { max: 10 })
  const done: number[] = []
  const others = new Set<string>()
  let last = 0
  const end = Date.now() + 5_000
  const slowly = (value: number) =>
    transaction(pool, async (tx) => {
      await tx`insert into facts values (${value})`
      await sleep(Math.random() * 4)
      await tx`select 1`
    })
  const one = async () => {
    while (Date.now() < end) {
      const value = ++last
      const asked = value % 2 ? slowly(value) : pool`insert into facts values (${value})`
      const how = await outcome(asked.then(() => done.push(value)))
      if (how !== 'done') others.add(how)
    }
  }
  const endSome = async () => {
    while (Date.now() < end) {
      await database.sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and random() < 0.5`.catch(() => {})
      await sleep(20 + Math.random() * 60)
    }
  }
  await Promise.all([endSome(), ...Array.from({ length: 16 }, one)])
  expect([...others]).toEqual(['outage'])
  await expect.poll(() => outcome(Promise.all(Array.from({ length: 10 }, () => pool`select 1`)))).toBe('done')
  await pool.end()
  const kept = await rows<{ value: number }>(database.sql`select value from facts`)
  const values = new Set(kept.map(({ value }) => value))
  expect(done.length).toBeGreaterThan(50)
  expect(done.filter((value) => !values.has(value))).toEqual([])
})
