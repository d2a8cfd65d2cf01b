import { findRow } from '../client.ts'
import type { Db } from '../client.ts'
import { hashOf } from '../secret-tokens.ts'

export type Attempt = { provider_id: string; return_to: string }

/** Notes that somebody was sent to a provider. @param state what comes back from there */
export async function beginAttempt(
  db: Db,
  state: string,
  attempt: Attempt & { lasts_s: number },
): Promise<void> {
  const { provider_id, return_to, lasts_s } = attempt
  await db`insert into sign_in_attempts (state_hash, provider_id, return_to, expires_at)
    values (${hashOf(state)}, ${provider_id}, ${return_to}, clock_timestamp() + ${lasts_s} * interval '1 second')`
}

/** What was begun under a state, once; whoever comes with it again finds nothing. */
export async function takeAttempt(db: Db, state: string): Promise<Attempt | undefined> {
  const taken = await findRow<Attempt & { is_over: boolean }>(db`
    delete from sign_in_attempts where state_hash = ${hashOf(state)}
    returning provider_id, return_to, expires_at <= clock_timestamp() as is_over`)
  return taken?.is_over === false ? taken : undefined
}
