import { DatabaseSync } from 'node:sqlite'

/** Locks that this process holds. Here and not in a caller's variable: a connection that is collected gives its lock up. */
const held: DatabaseSync[] = []

/**
 * Takes a lock for as long as this process lives: false when another one has it. The kernel keeps it, so even after
 * `kill -9` nothing is left to clean up.
 */
export function lockDirectory(lock_file: string): boolean {
  const database = new DatabaseSync(lock_file)
  try {
    database.exec('pragma busy_timeout = 0; begin exclusive')
  } catch {
    database.close()
    return false
  }
  held.push(database)
  return true
}
