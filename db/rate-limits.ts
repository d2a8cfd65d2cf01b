import { createHash } from 'node:crypto'

import { findRow, getRow, rows } from './client.ts'
import type { Sql } from './client.ts'

/** A bucket that holds a minute's worth of permits and fills evenly: one for each key of each name. */
export type Bucket = { name: string; key: string; per_minute: number }

const hashOf = ({ name, key }: Bucket): Buffer =>
  createHash('sha256')
    .update(JSON.stringify([name, key]))
    .digest()

/** Seconds in which one permit comes back. */
const pace = ({ per_minute }: Bucket): number => 60 / per_minute

/** Takes all of the permits or none, in one statement, however many processes ask. */
export async function takePermits(sql: Sql, bucket: Bucket, permits: number): Promise<boolean> {
  const span = permits * pace(bucket)
  const taken = await rows(sql`
    insert into rate_limits as l (key, free_at)
    values (${hashOf(bucket)}, clock_timestamp() + ${span} * interval '1 second')
    on conflict (key) do update
      set free_at = greatest(l.free_at, clock_timestamp()) + ${span} * interval '1 second'
      where greatest(l.free_at, clock_timestamp()) + ${span} * interval '1 second'
        <= clock_timestamp() + interval '1 minute'
    returning 1`)
  return taken.length > 0
}

/** Takes permits whether or not they are there; at most until the bucket is empty. */
export async function chargePermits(sql: Sql, bucket: Bucket, permits: number): Promise<void> {
  const span = permits * pace(bucket)
  await sql`
    insert into rate_limits as l (key, free_at)
    values (${hashOf(bucket)}, clock_timestamp() + least(${span}::float8, 60) * interval '1 second')
    on conflict (key) do update
      set free_at = least(greatest(l.free_at, clock_timestamp()) + ${span} * interval '1 second',
        clock_timestamp() + interval '1 minute')`
}

/** Whole seconds until a permit can be taken, at least one. */
export async function secondsUntilFree(sql: Sql, bucket: Bucket): Promise<number> {
  const row = await findRow<{ seconds: number }>(sql`
    select ceil(extract(epoch from free_at - clock_timestamp()) - 60 + ${pace(bucket)})::int as seconds
    from rate_limits where key = ${hashOf(bucket)}`)
  return Math.max(1, row?.seconds ?? 1)
}

/** What is full again needs no row. Returns how many there were. */
export async function forgetFullBuckets(sql: Sql): Promise<number> {
  const { count } = await getRow<{ count: number }>(sql`
    with gone as (delete from rate_limits where free_at < clock_timestamp() returning 1)
    select count(*)::int as count from gone`)
  return count
}
