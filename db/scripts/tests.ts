import { appendAudit } from '../audit.ts'
import type { Actor, Json } from '../audit.ts'
import { findRow, transaction } from '../client.ts'
import type { Db, Sql } from '../client.ts'
import type { IntegrationEvent } from '../../domain/lifecycle.ts'

export type Tested = { task_id: string | null; actor: Actor; detail: { [key: string]: Json } }

/** The one trace that a test run leaves. */
export function auditTest(sql: Sql, { task_id, actor, detail }: Tested): Promise<void> {
  return transaction(sql, (tx) =>
    appendAudit(tx, {
      kind: 'script_task.tested',
      actor,
      object_type: 'script_task',
      ...(task_id !== null && { object_id: task_id }),
      detail,
    }),
  )
}

/** The newest event of this type that a request has had. */
export function findPastEvent(
  db: Db,
  request_id: string,
  type: IntegrationEvent,
): Promise<{ id: string } | undefined> {
  return findRow<{ id: string }>(db`
    select id from outbox_events where request_id = ${request_id} and type = ${type} order by seq desc limit 1`)
}
