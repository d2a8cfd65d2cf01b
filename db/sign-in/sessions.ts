import { randomUUIDv7 } from 'node:crypto'

import { DomainError } from '../../domain/errors.ts'
import { appendAudit } from '../audit.ts'
import type { Json } from '../audit.ts'
import { findRow, rows, transaction } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import { hashOf, randomText } from '../secret-tokens.ts'

/** A session ends after the first of them. */
const absolute = '12 hours'
const idle = '2 hours'

/** How exact `last_seen_at` is: not every call is a write. */
const seen = '1 minute'

export type Person = { id: string; email: string }

/** How somebody came in. `detail` is for the audit event. */
export type Entrance = {
  method: 'local' | 'oidc' | 'link'
  provider_id?: string
  detail?: { [key: string]: Json }
}

const ends = (db: Db) => db`least(s.expires_at, s.last_seen_at + ${idle}::interval)`

/**
 * Begins a session, which ends `replaced`, the one that the browser had. Disabling the identity waits for it, or is
 * seen by it.
 * @returns what the browser shows from now on; kept nowhere
 * @throws DomainError `unauthenticated`: the identity is not active, or not a person
 */
export async function beginSession(
  tx: Tx,
  { id }: { id: string },
  { replaced, ...entrance }: Entrance & { replaced: string | undefined },
): Promise<string> {
  await tx`select from identities where id = ${id} for share`
  const person = await findRow<Person>(tx`
    select id, email from identities where id = ${id} and kind = 'human' and status = 'active'
      and (expires_at is null or expires_at > clock_timestamp())`)
  if (person === undefined)
    throw new DomainError('unauthenticated', 'This identity is disabled, has expired, or is no person.')
  if (replaced !== undefined) await tx`delete from sessions where token_hash = ${hashOf(replaced)}`
  const token = randomText()
  const { method, provider_id = null, detail } = entrance
  await tx`insert into sessions (id, token_hash, identity_id, method, provider_id, expires_at)
    values (${randomUUIDv7()}, ${hashOf(token)}, ${id}, ${method}, ${provider_id},
      clock_timestamp() + ${absolute}::interval)`
  await appendAudit(tx, {
    kind: 'identity.signed_in',
    actor: person,
    object_type: 'identity',
    object_id: id,
    detail: { method, ...detail },
  })
  return token
}

export type FoundSession = { id: string; identity_id: string; ends_at: string }

/** The session that a browser shows, if it goes on; it counts as seen. */
export async function useSession(db: Db, token: string): Promise<FoundSession | undefined> {
  const hash = hashOf(token)
  const found = await findRow<FoundSession & { is_due: boolean }>(db`
    select s.id, s.identity_id, least(s.expires_at, clock_timestamp() + ${idle}::interval) as ends_at,
      s.last_seen_at < clock_timestamp() - ${seen}::interval as is_due
    from sessions s join identities i on i.id = s.identity_id and i.kind = 'human'
    where s.token_hash = ${hash} and ${ends(db)} > clock_timestamp()`)
  if (found?.is_due) {
    await db`update sessions s set last_seen_at = clock_timestamp()
      where s.token_hash = ${hash} and ${ends(db)} > clock_timestamp()`
  }
  return found && { id: found.id, identity_id: found.identity_id, ends_at: found.ends_at }
}

/** Whether a session has not ended; asking is not using it. */
export async function goesOn(db: Db, token: string): Promise<boolean> {
  const found = await findRow(db`
    select 1 from sessions s where s.token_hash = ${hashOf(token)} and ${ends(db)} > clock_timestamp()`)
  return found !== undefined
}

/** Ends the session that a browser shows; one that has ended before is none. */
export function endSession(sql: Sql, token: string): Promise<void> {
  return transaction(sql, async (tx) => {
    const person = await findRow<Person>(tx`
      delete from sessions s using identities i where s.token_hash = ${hashOf(token)} and i.id = s.identity_id
      returning i.id, i.email`)
    if (person === undefined) return
    const object = { object_type: 'identity', object_id: person.id }
    await appendAudit(tx, { kind: 'identity.signed_out', actor: person, ...object })
  })
}

/** Whoever may no longer act keeps no session, no personal access token and no link. Belongs to the transaction that says so. */
export async function endCredentialsOf(tx: Tx, identity_id: string): Promise<void> {
  await tx`delete from sessions where identity_id = ${identity_id}`
  await tx`delete from personal_access_tokens where identity_id = ${identity_id}`
  await tx`delete from sign_in_links where identity_id = ${identity_id}`
}

/** What has ended is of no use to anybody. */
export async function forgetEnded(db: Db): Promise<void> {
  await db`delete from sessions s where ${ends(db)} < clock_timestamp()`
  await db`delete from sign_in_attempts where expires_at < clock_timestamp()`
  await db`delete from sign_in_links where expires_at < clock_timestamp() - interval '1 day'`
  await db`delete from personal_access_tokens where expires_at < clock_timestamp() - interval '30 days'`
}

/** People who can sign in by their address alone, where that exists. */
export const listPeople = (db: Db): Promise<{ email: string; display_name: string }[]> =>
  rows(db`
    select email, display_name from identities
    where kind = 'human' and status = 'active' and (expires_at is null or expires_at > clock_timestamp())
    order by id limit 100`)

export const findPerson = (db: Db, email: string): Promise<Person | undefined> =>
  findRow<Person>(db`
    select id, email from identities where lower(email) = lower(${email}) and kind = 'human' and status = 'active'
      and (expires_at is null or expires_at > clock_timestamp())`)
