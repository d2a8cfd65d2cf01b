import { createHash, randomUUIDv7 } from 'node:crypto'

import { getRow } from './client.ts'
import type { Db, Sql, Tx } from './client.ts'
import { joined } from './joined.ts'

/**
 * Who did it: an identity, or nobody (the product itself). `is_provisioner`: an identity provider by a token of its
 * own, which hands on no privilege.
 */
export type Actor = { id: string | null; email: string | null; is_provisioner?: true }

export const nobody: Actor = { id: null, email: null }

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

export type AuditEvent = {
  /** `<object>.<past tense>`, e.g. `access_request.approved`, `template.updated`. */
  kind: string
  actor: Actor
  request_id?: string
  object_type?: string
  object_id?: string
  detail?: { [key: string]: Json }
}

/** JSON with the members of every object in code-unit order, as RFC 8785 asks; equal values give equal text. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`
}

/** An event as it is kept: with its instant, by the database's clock, and the hash of its content. */
function contentOf(event: AuditEvent, at: string) {
  const content = {
    id: randomUUIDv7(),
    at,
    kind: event.kind,
    actor_id: event.actor.id,
    actor_email: event.actor.email,
    request_id: event.request_id ?? null,
    object_type: event.object_type ?? null,
    object_id: event.object_id ?? null,
    detail: event.detail ?? {},
  }
  return { ...content, content_hash: createHash('sha256').update(canonicalJson(content)).digest('hex') }
}

type Kept = ReturnType<typeof contentOf>

async function insertEvents(db: Db, events: Kept[]): Promise<void> {
  await db`
    insert into audit_events
      (id, at, kind, actor_id, actor_email, request_id, object_type, object_id, detail, content_hash)
    select id, at, kind, actor_id, actor_email, request_id, object_type, object_id, detail, decode(content_hash, 'hex')
    from jsonb_to_recordset(${db.json(events)}) as event (
      id uuid, at timestamptz, kind text, actor_id uuid, actor_email text, request_id uuid, object_type text,
      object_id uuid, detail jsonb, content_hash text)`
}

/** Appends one event, with the hash of its content, to the log that nobody can edit. Belongs to the change's own transaction. */
export const appendAudit = (tx: Tx, event: AuditEvent): Promise<void> => appendAudits(tx, [event])

/** As `appendAudit`, for what happened to many at once: as few as can be written in one go. */
export async function appendAudits(tx: Tx, events: readonly AuditEvent[]): Promise<void> {
  const { at } = await getRow<{ at: string }>(tx`select clock_timestamp() as at`)
  await insertEvents(
    tx,
    events.map((event) => contentOf(event, at)),
  )
}

const insertTogether = joined<Kept, void>(async (sql, events) => {
  await insertEvents(sql, events)
  return []
})

/**
 * Appends one event of an instant that the database's clock has just told, where the event is the whole change: a token
 * that is issued. Those of one moment share a transaction, which a mint would else wait for alone.
 */
export const appendAuditAlone = (sql: Sql, event: AuditEvent, at: string): Promise<void> =>
  insertTogether(sql, contentOf(event, at))
