import { findRow } from '../client.ts'
import type { Db } from '../client.ts'

/** What a token says of an identity, for one application, read on one snapshot by the database's clock. */
export type EffectiveAccess = {
  slug: string
  email: string
  groups: string[]
  /** The distinct values of each claim. */
  claims: Record<string, string[]>
  /** The requests whose grants contribute. */
  request_ids: string[]
  /** Seconds since 1970. `ends_at` is the earliest end of anything that contributes; null: nothing does that ends. */
  now: number
  ends_at: number | null
}

/** What has less than this left is left out: no token could carry it to its end. */
const leastLeft = '1 second'

/** Undefined: no such application, or the identity is not active. */
export function findEffectiveAccess(
  db: Db,
  identity_id: string,
  app_id: string,
): Promise<EffectiveAccess | undefined> {
  return findRow<EffectiveAccess>(db`
    with held as materialized (
      select * from active_groups(${identity_id}, statement_timestamp() + ${leastLeft}::interval)
    ), carried as (
      select m.claim, m.value from held
      join group_mappings gm on gm.group_id = held.group_id
      join app_mappings m on m.id = gm.mapping_id and m.app_id = ${app_id}
    ), claims as (
      select claim, array_agg(distinct value order by value) as claim_values from carried group by claim
    )
    select a.slug, i.email,
      coalesce((select array_agg(distinct name order by name) from held), '{}') as groups,
      coalesce((select jsonb_object_agg(claim, claim_values) from claims), '{}') as claims,
      coalesce((select array_agg(distinct request_id) from held where request_id is not null), '{}') as request_ids,
      floor(extract(epoch from statement_timestamp()))::float8 as now,
      floor(extract(epoch from least((select min(expires_at) from held), i.expires_at)))::float8 as ends_at
    from identities i, applications a
    where i.id = ${identity_id} and a.id = ${app_id} and i.status = 'active'
      and (i.expires_at is null or i.expires_at > statement_timestamp() + ${leastLeft}::interval)`)
}
