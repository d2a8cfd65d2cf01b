import { expiryOf } from '../../api/mint.ts'
import { rows } from '../../db/client.ts'
import type { Sql, Tx } from '../../db/client.ts'
import { selectAccess } from '../../db/directory/effective-access.ts'
import type { EffectiveAccess, Resource } from '../../db/directory/effective-access.ts'
import { app_id, beginning, identityId } from './load.ts'
import type { Timeline } from './timeline.ts'

/** Milliseconds after the beginning of time. */
export type Held = { group_id: string; request_id: string | null; ends: number | null }
export type Carried = { claim: string; value: string; request_id: string | null; ends: number | null }
export type Token = { groups: string[]; claims: Record<string, string[]>; request_ids: string[]; exp: number }

/** What the product says of a timeline: at its instant, and in a token of then. Null: there is nobody to give one to. */
export type Said = { held: Held[]; carried: Carried[]; token: Token | null; api_token: Token | null }

/** The product's SQL asks for the time by one function; here it is told the time that the test is about. */
export async function prepareClock(sql: Sql): Promise<void> {
  await sql`create schema clock`
  await sql`create function clock.statement_timestamp() returns timestamptz language sql stable
    as $$ select current_setting('clock.at')::timestamptz $$`
}

async function setClock(tx: Tx, at: number): Promise<void> {
  await tx`set local search_path = clock, pg_catalog, public`
  await tx`select set_config('clock.at', ${new Date(beginning + at).toISOString()}, true)`
}

async function readPredicates(tx: Tx, timelines: Timeline[]): Promise<Pick<Said, 'held' | 'carried'>[]> {
  const ids = timelines.map((_, number) => identityId(number))
  const instants = timelines.map(({ at }) => new Date(beginning + at).toISOString())
  const ends = tx`round(extract(epoch from expires_at) * 1000 - ${beginning}::numeric)::float8`
  return rows<Pick<Said, 'held' | 'carried'>>(tx`
    select
      coalesce((select jsonb_agg(jsonb_build_object('group_id', group_id, 'request_id', request_id, 'ends', ${ends}))
        from active_groups(q.id, q.at)), '[]') as held,
      coalesce((select jsonb_agg(jsonb_build_object('claim', claim, 'value', value, 'request_id', request_id, 'ends', ${ends}))
        from effective_mappings(q.id, ${app_id}, q.at)), '[]') as carried
    from unnest(${ids}::uuid[], ${instants}::timestamptz[]) with ordinality q (id, at, number) order by number`)
}

/** The statement that tokens are made of, for many identities at one instant. By id; whoever gets none is left out. */
async function readAccess(
  tx: Tx,
  at: number,
  ids: string[],
  resource: Resource,
): Promise<Map<string, Token>> {
  await setClock(tx, at)
  const access = selectAccess(tx, { identity_id: tx`q.id` as never, resource }, tx``)
  const found = await rows<EffectiveAccess>(tx`
    select access.* from unnest(${ids}::uuid[]) q (id), lateral (${access}) access`)
  await tx`set local search_path = public`
  const token = (each: EffectiveAccess) => ({ ...each, exp: expiryOf({ access: each }) })
  return new Map(found.map((each) => [each.identity_id, token(each)]))
}

/** @returns one for each timeline, in their order */
export async function readTimelines(tx: Tx, timelines: Timeline[]): Promise<Said[]> {
  const predicates = await readPredicates(tx, timelines)
  const tokens: Pick<Said, 'token' | 'api_token'>[] = timelines.map(() => ({ token: null, api_token: null }))
  for (const at of new Set(timelines.map((timeline) => timeline.at))) {
    const numbers = timelines.flatMap((timeline, number) => (timeline.at === at ? [number] : []))
    const ids = numbers.map(identityId)
    const access = await readAccess(tx, at, ids, { app_id })
    const api = await readAccess(tx, at, ids, undefined)
    for (const number of numbers) {
      const id = identityId(number)
      tokens[number] = { token: access.get(id) ?? null, api_token: api.get(id) ?? null }
    }
  }
  return predicates.map((each, number) => ({
    held: each.held,
    carried: each.carried,
    token: tokens[number]?.token ?? null,
    api_token: tokens[number]?.api_token ?? null,
  }))
}
