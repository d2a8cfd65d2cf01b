import { realpathSync } from 'node:fs'

import postgres from 'postgres'

import { postgresUrl, postgresUser } from './postgres-cluster.ts'
import type { PostgresFiles } from './postgres-files.ts'

/** Whether the server on this port takes our password and serves our data directory. */
export async function answers(files: PostgresFiles, port: number): Promise<boolean> {
  const sql = connect(files, port)
  try {
    const rows = await sql<{ data_directory: string }[]>`show data_directory`
    return rows[0]?.data_directory === realpathSync(files.cluster)
  } catch {
    return false
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Creates the product's database in a new data directory. */
export async function ensureDatabase(files: PostgresFiles, port: number): Promise<void> {
  const sql = connect(files, port)
  try {
    const found = await sql`select from pg_database where datname = ${postgresUser}`
    if (found.length === 0) await sql`create database ${sql(postgresUser)}`
  } finally {
    await sql.end()
  }
}

function connect(files: PostgresFiles, port: number): postgres.Sql {
  return postgres(postgresUrl(files, port, 'postgres'), { max: 1, connect_timeout: 2, onnotice: () => {} })
}
