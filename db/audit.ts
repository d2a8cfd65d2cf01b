import { createHash, randomUUIDv7 } from 'node:crypto'

import { getRow } from './client.ts'
import type { Db, Tx } from './client.ts'

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

/**
 * Appends one event of an instant that the database's clock has just told, for a change that is nothing but its event:
 * a token that is issued.
 */
export async function appendAuditAt(db: Db, event: AuditEvent, at: string): Promise<void> {
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
  const content_hash = createHash('sha256').update(canonicalJson(content)).digest()
  await db`insert into audit_events ${db({ ...content, detail: db.json(content.detail) as never, content_hash })}`
}

/** Appends one event, with the hash of its content, to the log that nobody can edit. Belongs to the change's own transaction. */
export async function appendAudit(tx: Tx, event: AuditEvent): Promise<void> {
  const { at } = await getRow<{ at: string }>(tx`select clock_timestamp() as at`)
  await appendAuditAt(tx, event, at)
}
