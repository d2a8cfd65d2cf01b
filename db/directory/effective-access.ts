import type { PendingQuery, Row } from 'postgres'

import { findRow } from '../client.ts'
import type { Db } from '../client.ts'

/** What a token says of an identity, for one resource, read on one snapshot by the database's clock. */
export type EffectiveAccess = {
  identity_id: string
  email: string
  /** Both null: no such application, or none was asked for. */
  app_id: string | null
  slug: string | null
  groups: string[]
  /** The distinct values of each claim. */
  claims: Record<string, string[]>
  /** The requests whose grants contribute. */
  request_ids: string[]
  /** Seconds since 1970. `ends_at` is the earliest end of anything that contributes; null: nothing does that ends. */
  now: number
  ends_at: number | null
  /** The same moment as `now`, in RFC 3339. */
  at: string
}

/** Undefined: the product's own API, whose tokens carry no groups and no claims. */
export type Resource = { app_id: string } | { slug: string } | undefined

/** `least_left_seconds`: what has less than this left is left out, for no token could carry it to its end. */
export type Asked = { identity_id: string; resource: Resource; least_left_seconds?: number }

export type Fragment = PendingQuery<readonly (object | undefined)[]> | PendingQuery<Row[]>

/** The same, of the columns of a row that a lateral join has at hand. */
export type AskedByRow = { identity_id: Fragment; resource: { slug: Fragment }; least_left_seconds?: number }

const readResource = (resource: Asked['resource'] | AskedByRow['resource']) => ({
  app_id: resource !== undefined && 'app_id' in resource ? resource.app_id : null,
  slug: resource !== undefined && 'slug' in resource ? resource.slug : null,
})

/** @param more columns over the identity `i`, each after a comma */
export function selectAccess(
  db: Db,
  asked: Asked | AskedByRow,
  more: Fragment,
): PendingQuery<readonly (object | undefined)[]> {
  const { identity_id, least_left_seconds = 1 } = asked
  const { app_id, slug } = readResource(asked.resource)
  return db`
    with held as materialized (
      select * from active_groups(${identity_id}, statement_timestamp() + make_interval(secs => ${least_left_seconds}))
    ), carried as (
      select m.claim, m.value from held
      join group_mappings gm on gm.group_id = held.group_id
      join app_mappings m on m.id = gm.mapping_id
      where m.app_id = (select id from applications where id = ${app_id}::uuid or slug = ${slug}::text)
    ), claims as (
      select claim, array_agg(distinct value order by value) as claim_values from carried group by claim
    )
    select i.id as identity_id, i.email, a.id as app_id, a.slug,
      case when a.id is null then '{}' else
        coalesce((select array_agg(distinct name order by name) from held), '{}') end as groups,
      case when a.id is null then '{}' else
        coalesce((select jsonb_object_agg(claim, claim_values) from claims), '{}') end as claims,
      case when a.id is null then '{}' else
        coalesce((select array_agg(distinct request_id) from held where request_id is not null), '{}') end as request_ids,
      floor(extract(epoch from statement_timestamp()))::float8 as now,
      floor(extract(epoch from least(
        i.expires_at, case when a.id is not null then (select min(expires_at) from held) end)))::float8 as ends_at,
      statement_timestamp() as at ${more}
    from identities i left join applications a on a.id = ${app_id}::uuid or a.slug = ${slug}::text
    where i.id = ${identity_id} and i.status = 'active' and (i.expires_at is null
      or i.expires_at > statement_timestamp() + make_interval(secs => ${least_left_seconds}))`
}

/** Undefined: the identity is not active. */
export const findEffectiveAccess = (db: Db, asked: Asked): Promise<EffectiveAccess | undefined> =>
  findRow<EffectiveAccess>(selectAccess(db, asked, db``))
