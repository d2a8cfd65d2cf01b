import { Client, Connection } from '@temporalio/client'
import { describe, expect, inject, test } from 'vitest'

import { connect, type Sql } from '../../db/client.ts'
import { createTestDatabase } from './database.ts'
import { startDisposablePostgres, startDisposableTemporal } from './disposable.ts'

async function countTables(sql: Sql): Promise<number> {
  const found = await sql`select from information_schema.tables where table_schema = 'public'`
  return found.count
}

async function query<Result>(url: string, ask: (sql: Sql) => PromiseLike<Result>): Promise<Result> {
  const sql = connect(url, { max: 1 })
  try {
    return await ask(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

describe('a test database', () => {
  test('has the schema, and nothing that another test wrote', async () => {
    const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()])
    await one.sql`create table mine ()`
    expect(await countTables(other.sql)).toBeGreaterThan(1)
    expect(await countTables(one.sql)).toBe((await countTables(other.sql)) + 1)
    await Promise.all([one.drop(), other.drop()])
    await expect(query(one.url, (sql) => sql`select 1`)).rejects.toThrow('does not exist')
  })
})

describe('a server of one test', () => {
  test('that is a PostgreSQL refuses connections once killed, and comes back with what was committed', async () => {
    const server = await startDisposablePostgres()
    await query(server.url, (sql) => sql`create table kept as select 1 as one`)
    await server.kill()
    await expect(query(server.url, (sql) => sql`select one from kept`)).rejects.toThrow('ECONNREFUSED')
    await server.restart()
    expect(await query(server.url, (sql) => sql`select one from kept`)).toEqual([{ one: 1 }])
  })

  test('that is a Temporal comes back with its workflows on the same address', async () => {
    const server = await startDisposableTemporal()
    const { temporal_namespace: namespace } = inject('servers')
    const connection = await Connection.connect({ address: server.address })
    const client = new Client({ connection, namespace })
    const handle = await client.workflow.start('kept', { workflowId: 'kept', taskQueue: 'nobody' })
    await server.kill()
    await server.restart()
    expect((await handle.describe()).status.name).toBe('RUNNING')
    await connection.close()
  })
})
