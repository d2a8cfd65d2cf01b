import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'

import type { PostgresFiles } from './postgres-files.ts'
import { writePrivateFile } from './private-file.ts'
import { run } from './run-program.ts'

/** The role that owns the embedded database, and the database's own name. */
export const postgresUser = 'hallpass'

/** Makes the data directory when there is none. An interrupted attempt leaves nothing that looks like a database. */
export async function ensureCluster(
  files: PostgresFiles,
  options: { no_sync: boolean; signal: AbortSignal },
): Promise<void> {
  if (existsSync(path.join(files.cluster, 'PG_VERSION'))) return
  removeUnfinished(files.cluster)
  // A name of its own: an initdb that outlived a kill may still be writing to the last one.
  const fresh = `${files.cluster}.new-${randomBytes(4).toString('hex')}`
  const handover = `${fresh}.password`
  mkdirSync(fresh, { mode: 0o700 })
  const password = randomBytes(24).toString('base64url')
  writePrivateFile(files.password_file, password)
  writePrivateFile(handover, password)
  if (files.account)
    for (const file of [fresh, handover]) chownSync(file, files.account.uid, files.account.gid)
  try {
    await runInitdb(files, { fresh, handover, ...options })
  } finally {
    rmSync(handover, { force: true })
  }
  renameSync(fresh, files.cluster)
}

/** The address of a database of the embedded server. */
export function postgresUrl(files: PostgresFiles, port: number, database: string): string {
  const password = readFileSync(files.password_file, 'utf8')
  return `postgres://${postgresUser}:${password}@127.0.0.1:${port}/${database}`
}

function removeUnfinished(cluster: string): void {
  const home = path.dirname(cluster)
  for (const name of readdirSync(home).filter((name) => name.startsWith('cluster.new-'))) {
    rmSync(path.join(home, name), { recursive: true, force: true, maxRetries: 20 })
  }
}

async function runInitdb(
  files: PostgresFiles,
  options: { fresh: string; handover: string; no_sync: boolean; signal: AbortSignal },
): Promise<void> {
  const args = ['--pgdata', options.fresh, '--username', postgresUser, '--pwfile', options.handover]
  args.push('--auth=scram-sha-256', '--encoding=UTF8', '--no-instructions')
  // Lower case beyond ASCII, the same on every machine.
  args.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8')
  if (options.no_sync) args.push('--no-sync')
  await run(path.join(files.programs, 'initdb'), args, {
    timeout: 120_000,
    signal: options.signal,
    cwd: '/',
    env: { LC_ALL: 'C', TZ: 'UTC' },
    ...files.account,
  })
}
