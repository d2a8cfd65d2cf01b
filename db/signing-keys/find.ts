import { longestTokenLife } from '../../domain/signing-key.ts'
import type { SigningKey } from '../../domain/signing-key.ts'
import { findRow, rows } from '../client.ts'
import type { Db } from '../client.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'
import type { Sealed, Sealer } from '../sealing.ts'
import type { PublicPart } from './key-pair.ts'

/** Told that a key came, went or changed: whoever holds a copy of them reads again. */
export const signingKeyChannel = 'hallpass_signing_keys'

/** Seconds for which a process may go on signing by what it read before the key was to stop. */
export const longestUnread = 30

/** A key in the JWKS. The private part is null once it signs no more. */
export type StoredKey = Pick<SigningKey, 'kid' | 'state'> & {
  public_part: PublicPart
  private_part: Buffer | null
  key_id: string | null
}

const stateOf = (db: Db) => db`case
  when removed_at is not null then 'removed'
  when signs_from > clock_timestamp() then 'published'
  when stops_at is null or stops_at > clock_timestamp() then 'signing'
  when stops_at + ${longestTokenLife + 2 * longestUnread} * interval '1 second' > clock_timestamp() then 'verifying'
  else 'gone' end`

const select = (db: Db) => db`
  select id, kid, ${stateOf(db)} as state, source, created_at, signs_from, stops_at, removed_at from signing_keys`

/** Every key that a live token may be signed with, and those that will sign; the one that began to sign last comes last. */
export function listUsableKeys(db: Db): Promise<StoredKey[]> {
  return rows<StoredKey>(db`
    select * from (
      select kid, ${stateOf(db)} as state, public_part, private_part, key_id, signs_from, id from signing_keys
    ) k where state in ('published', 'signing', 'verifying') order by signs_from, id`)
}

export function toSigningKey(row: SigningKey & { id: string }): SigningKey {
  const { id: _, ...key } = row
  return key
}

/** Oldest first, also those that are gone. */
export async function listSigningKeys(db: Db, page: PageRequest): Promise<Page<SigningKey>> {
  const found = await rows<SigningKey & { id: string }>(db`
    ${select(db)} where ${page.after}::uuid is null or id > ${page.after} order by id limit ${page.limit + 1}`)
  const { data, next_cursor } = toPage('signing-keys', page, found)
  return { data: data.map(toSigningKey), next_cursor }
}

export function findSigningKey(db: Db, kid: string): Promise<(SigningKey & { id: string }) | undefined> {
  return findRow(db`${select(db)} where kid = ${kid}`)
}

export const placeOf = (kid: string) => ({ table: 'signing_keys', column: 'private_part', row: kid })

/** The private part, a JWK in JSON; undefined where it is no longer kept, or no key opens it. */
export function openPrivatePart(
  sealer: Sealer,
  { kid, private_part, key_id }: StoredKey,
): string | undefined {
  if (private_part === null || key_id === null) return undefined
  const sealed: Sealed = { value: private_part, key_id }
  try {
    return sealer.open(sealed, placeOf(kid))
  } catch {
    return undefined
  }
}
