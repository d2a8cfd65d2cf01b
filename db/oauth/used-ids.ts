import { createHash } from 'node:crypto'

import type { Db, Sql } from '../client.ts'

/**
 * Whether an id is shown for the first time, to whichever process: of two at once, one is. `id` is who made it and what
 * it is, so that two clients may choose the same.
 * @param expires_at seconds since 1970, after which what carries the id is refused for its age
 */
export async function useOnce(db: Db, id: readonly string[], expires_at: number): Promise<boolean> {
  const hash = createHash('sha256').update(JSON.stringify(id)).digest()
  const { count } = await db`
    insert into used_ids (hash, expires_at) values (${hash}, to_timestamp(${expires_at})) on conflict do nothing`
  return count === 1
}

/** So many rows in one statement, so that none lasts, and so many statements: more than clients may add in a minute. */
const step = 20_000
const mostSteps = 50

async function inSteps(forget: () => PromiseLike<{ count: number }>): Promise<void> {
  for (let steps = mostSteps; steps > 0 && (await forget()).count === step; steps--);
}

/** What is over is refused for its age: nothing has to remember it. What one sweep leaves, the next takes. */
export async function forgetEndedTokens(sql: Sql): Promise<void> {
  await inSteps(
    () => sql`delete from used_ids where hash in (
      select hash from used_ids where expires_at < clock_timestamp() - interval '1 minute' limit ${step})`,
  )
  await inSteps(
    () => sql`delete from revoked_tokens where jti in (
      select jti from revoked_tokens where expires_at < clock_timestamp() - interval '1 minute' limit ${step})`,
  )
}
