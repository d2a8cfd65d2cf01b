import type { Sql } from '../client.ts'

/** So many rows in one statement; what one sweep leaves, the next takes. */
const most = 20_000

/** Forgets who made credentials that are gone, once nothing that was got with them lives on. */
export async function forgetMakers(sql: Sql): Promise<void> {
  await sql`delete from credential_makers where (credential_id, maker_id) in (
    select m.credential_id, m.maker_id from credential_makers m
    where m.ends_at < clock_timestamp() - interval '1 hour'
      and not exists (select from credentials c where c.id = m.credential_id) limit ${most})`
}
