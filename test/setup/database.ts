import { randomBytes } from 'node:crypto'

import { inject } from 'vitest'

import { connect, type Sql } from '../../db/client.ts'
import { databaseUrl } from './database-url.ts'

export type TestDatabase = { sql: Sql; url: string; drop: () => Promise<void> }

/** A migrated database of the caller's own, copied from the template of this test run (50 ms). */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { database_url, template_database } = inject('servers')
  const name = `test_${randomBytes(8).toString('hex')}`
  await administer((server) => server`create database ${server(name)} template ${server(template_database)}`)
  const url = databaseUrl(database_url, name)
  const sql = connect(url)
  const drop = async () => {
    await sql.end({ timeout: 5 })
    await administer((server) => server`drop database ${server(name)} with (force)`)
  }
  return { sql, url, drop }
}

async function administer(command: (server: Sql) => PromiseLike<unknown>): Promise<void> {
  const server = connect(inject('servers').database_url, { max: 1, statement_timeout_ms: 60_000 })
  try {
    await command(server)
  } finally {
    await server.end()
  }
}
