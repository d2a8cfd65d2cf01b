import { findRow, rows } from '../client.ts'
import type { Db } from '../client.ts'
import { selectAccess } from '../directory/effective-access.ts'
import type { AskedByRow, EffectiveAccess } from '../directory/effective-access.ts'
import { joined } from '../joined.ts'

/** A live credential of a client. `ends_at`: seconds since 1970. */
export type LiveCredential = {
  id: string
  /** SHA-256 in hexadecimal, of a secret alone. */
  secret_hash: string | null
  ends_at: number | null
  /** Its last use is on record, to the minute. */
  is_noted: boolean
}

export type ClientAccess = EffectiveAccess & { credentials: LiveCredential[] }

export type AskedByClient = {
  client_id: string
  /** Undefined: all its secrets. */
  credential_id?: string
  /** The application; undefined: the product's own API. */
  slug: string | undefined
}

type Row = ClientAccess & { place: number }

const liveCredentials = (db: Db) => db`, (
  select coalesce(jsonb_agg(jsonb_build_object(
    'id', c.id,
    'secret_hash', encode(c.secret_hash, 'hex'),
    'ends_at', floor(extract(epoch from c.expires_at)),
    'is_noted', coalesce(c.last_used_at > statement_timestamp() - interval '1 minute', false))), '[]')
  from credentials c
  where c.identity_id = i.id and i.kind <> 'human'
    and case when asked.credential_id is null then c.type = 'client_secret' else c.id = asked.credential_id end
    and (c.expires_at is null or c.expires_at > statement_timestamp() + interval '1 second')
) as credentials`

/**
 * What a client may get and what it may show for it, on one snapshot. Undefined: there is no such client, or it is not
 * active.
 */
export const findClientAccess = joined<AskedByClient, ClientAccess | undefined>(async (sql, asked) => {
  // To plan this statement takes three times as long as to run it. The range, which is always true, is taken for a
  // narrow one, so that PostgreSQL keeps one plan for all: unnest alone would have it think of ten rows.
  const row: AskedByRow = { identity_id: sql`asked.client_id`, resource: { slug: sql`asked.slug` } }
  const found = await rows<Row>(sql`
    select asked.place::int as place, access.*
    from unnest(
      ${asked.map(({ client_id }) => client_id)}::uuid[],
      ${asked.map(({ credential_id }) => credential_id ?? null)}::uuid[],
      ${asked.map(({ slug }) => slug ?? null)}::text[]
    ) with ordinality as asked (client_id, credential_id, slug, place)
    cross join lateral (${selectAccess(sql, row, liveCredentials(sql))}) access
    where asked.place between 1 and ${asked.length}`)
  const byPlace = new Map(found.map(({ place, ...access }) => [place, access]))
  return asked.map((_, index) => byPlace.get(index + 1))
})

export type LiveKey = { id: string; kid: string; jwk: Record<string, string> }

/** The keys that a client may sign with now. */
export const listKeys = (db: Db, client_id: string): Promise<LiveKey[]> =>
  rows<LiveKey>(db`
    select id, kid, jwk from credentials
    where identity_id = ${client_id} and type = 'public_key' and (expires_at is null or expires_at > clock_timestamp())
    order by id`)

export type WorkloadCredential = { id: string; identity_id: string }

/** The one credential that trusts exactly this workload. */
export const findWorkload = (
  db: Db,
  { issuer, audience, subject }: { issuer: string; audience: string; subject: string },
): Promise<WorkloadCredential | undefined> =>
  findRow<WorkloadCredential>(db`
    select id, identity_id from credentials
    where issuer = ${issuer} and subject = ${subject} and audience = ${audience}
      and (expires_at is null or expires_at > clock_timestamp())`)

export async function noteUse(db: Db, credential_id: string, at: string): Promise<void> {
  await db`update credentials set last_used_at = ${at}
    where id = ${credential_id} and (last_used_at is null or last_used_at < ${at})`
}

/** The id of a client, for the record of what was refused; null where it is none of ours. */
export async function findClientId(db: Db, client_id: string | undefined): Promise<string | null> {
  const found = await findRow<{ id: string }>(
    db`select id from identities where id = ${client_id ?? null}::uuid and kind <> 'human'`,
  )
  return found?.id ?? null
}
