import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

import { rows } from './client.ts'
import type { Sql } from './client.ts'

type Migration = { name: string; text: string; sha256: string }
type Connection = Awaited<ReturnType<Sql['reserve']>>

const folder = new URL('migrations/', import.meta.url)

async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_[\w-]+\.sql$/.test(name)).sort()
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(name, folder), 'utf8')
      return { name, text, sha256: createHash('sha256').update(text).digest('hex') }
    }),
  )
}

/** Polls: a session that waits inside pg_advisory_lock deadlocks with CREATE INDEX CONCURRENTLY. */
async function lock(connection: Connection): Promise<void> {
  const query = () =>
    rows<{ held: boolean }>(connection`select pg_try_advisory_lock(hashtext('hallpass:migrations')) as held`)
  while (!(await query())[0]?.held) await sleep(250)
}

async function readApplied(connection: Connection): Promise<Map<string, string>> {
  await connection`create table if not exists schema_migrations (
    name text primary key, sha256 text not null, applied_at timestamptz not null default now())`
  const applied = await rows<{ name: string; sha256: string }>(
    connection`select name, sha256 from schema_migrations`,
  )
  return new Map(applied.map(({ name, sha256 }) => [name, sha256]))
}

async function apply(connection: Connection, { name, text, sha256 }: Migration): Promise<void> {
  const isAtomic = !text.startsWith('-- no-transaction')
  if (isAtomic) await connection`begin`
  try {
    await connection.unsafe(text)
    await connection`insert into schema_migrations (name, sha256) values (${name}, ${sha256})`
    if (isAtomic) await connection`commit`
  } catch (error) {
    if (isAtomic) await connection`rollback`
    throw new Error(`migration ${name} failed: ${error instanceof Error ? error.message : 'unknown'}`, {
      cause: error,
    })
  }
}

function assertKnown(applied: Map<string, string>, migrations: readonly Migration[]): void {
  const known = new Map(migrations.map(({ name, sha256 }) => [name, sha256]))
  for (const [name, sha256] of applied) {
    if (!known.has(name)) throw new Error(`the database is newer than this build: it has migration ${name}`)
    if (known.get(name) !== sha256) throw new Error(`migration ${name} was edited after it had been applied`)
  }
}

/**
 * Brings a database to this build's schema: numbered files, forward only, one transaction each, safe to call from
 * several processes at once. Returns the names that were applied now.
 * @throws when the database is newer than this build or an applied file was edited
 */
export async function migrate(sql: Sql): Promise<string[]> {
  const migrations = await readMigrations()
  const connection = await sql.reserve()
  try {
    await connection`set statement_timeout = 0`
    await lock(connection)
    const applied = await readApplied(connection)
    assertKnown(applied, migrations)
    const missing = migrations.filter(({ name }) => !applied.has(name))
    for (const migration of missing) await apply(connection, migration)
    return missing.map(({ name }) => name)
  } finally {
    await connection`select pg_advisory_unlock_all()`
    await connection`reset statement_timeout`
    connection.release()
  }
}
