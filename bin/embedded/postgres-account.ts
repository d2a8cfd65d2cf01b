import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import path from 'node:path'

/** A system user and its group. */
export type Account = { uid: number; gid: number }

/** PostgreSQL refuses to run as root. As root it runs as the system user `postgres`, made when missing; else undefined. */
export function postgresAccount(say: (line: string) => void): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  return findAccount('postgres') ?? createAccount('postgres', say)
}

function findAccount(name: string): Account | undefined {
  try {
    return { uid: readId('-u', name), gid: readId('-g', name) }
  } catch {
    return undefined
  }
}

function readId(flag: string, name: string): number {
  return Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
}

function createAccount(name: string, say: (line: string) => void): Account {
  say(`running as root: creating the system user ${name}, since PostgreSQL does not run as root`)
  const args = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', name]
  try {
    execFileSync('useradd', args, { stdio: 'ignore' })
  } catch (error) {
    throw new Error(`cannot create the user ${name}: start as an ordinary user, or set DATABASE_URL`, {
      cause: error,
    })
  }
  const account = findAccount(name)
  if (!account) throw new Error(`the user ${name} was created but cannot be found`)
  return account
}

/** The nearest folder above `file` that this account may not pass through, if any. */
export function closedFolderAbove(file: string, account: Account): string | undefined {
  const folder = path.dirname(file)
  if (!mayPass(folder, account)) return folder
  return folder === path.dirname(folder) ? undefined : closedFolderAbove(folder, account)
}

function mayPass(folder: string, { uid, gid }: Account): boolean {
  const stats = statSync(folder)
  if (stats.uid === uid) return (stats.mode & 0o100) !== 0
  return (stats.mode & (stats.gid === gid ? 0o010 : 0o001)) !== 0
}
