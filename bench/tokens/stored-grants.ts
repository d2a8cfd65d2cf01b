import { connect, rows } from '../../db/client.ts'
import type { Sql } from '../../db/client.ts'

/** Grants that were given to one identity; one in ten is active. */
const grantsEach = 100

/** What the measured machine itself holds, besides its standing membership: the same everywhere. */
const own = { active: 5, ended: 20 }

async function storeFor(
  sql: Sql,
  subjects: string[],
  grants: { count: number; active: number },
): Promise<void> {
  await sql.begin(async (tx) => {
    // Nothing is told of these rows, and what they refer to is made with them.
    await tx`set local session_replication_role = replica`
    await tx`create temporary table made on commit drop as
      select gen_random_uuid() as id, gen_random_uuid() as group_id, s.id as subject_id, n <= ${grants.active} as is_active
      from unnest(${subjects}::uuid[]) s (id), generate_series(1, ${grants.count}) n`
    await tx`insert into groups (id, kind, name, expires_at)
      select group_id, 'temporary', '__access_req_' || id, now() + interval '1 day' from made`
    await tx`insert into group_mappings select group_id, (select id from app_mappings order by id limit 1) from made`
    await tx`insert into access_requests (id, status, decision, template_name, app_id, app_name, mappings, snapshot,
        requester_id, requester_email, requester_name, subject_id, subject_name, requested_duration_mins,
        approver_group_ids, trigger_task_failure_mode, decided_at, expires_at)
      select id, case when is_active then 'approved' else 'expired' end, 'approved', 'Stored', a.app_id, 'Stored', '[]', '{}',
        subject_id, 'stored', 'Stored', subject_id, 'Stored', 60, '{}', 'ignore', now(), now() + interval '1 day'
      from made, (select id as app_id from applications limit 1) a`
    await tx`insert into grants (id, request_id, subject_id, group_id, starts_at, expires_at, ended_at, end_reason)
      select id, id, subject_id, group_id, now() - interval '1 hour', now() + interval '1 day',
        case when not is_active then now() end, case when not is_active then 'expired' end from made`
    await tx`insert into commands (id, request_id, kind, state)
      select gen_random_uuid(), id, 'start', 'applied' from made`
  })
}

/** Fills a database with so many grants of others, and a few of this machine's own. */
export async function storeGrants(database_url: string, machine_id: string, count: number): Promise<void> {
  const sql = connect(database_url, { max: 1, statement_timeout_ms: 600_000 })
  for (let left = count / grantsEach; left > 0; left -= 1_000) {
    const others = await rows<{ id: string }>(sql`
      insert into identities (id, kind, email, display_name)
      select id, 'human', id::text, 'Stored' from (
        select gen_random_uuid() as id from generate_series(1, ${Math.min(left, 1_000)})) s returning id`)
    const ids = others.map(({ id }) => id)
    await storeFor(sql, ids, { count: grantsEach, active: grantsEach / 10 })
  }
  await storeFor(sql, [machine_id], { count: own.active + own.ended, active: own.active })
  await sql`vacuum analyze`
  await sql.end()
}
