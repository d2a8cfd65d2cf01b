import { isDeepStrictEqual } from 'node:util'

import type { Actor, AuditEvent, Json } from './audit.ts'

type Fields = { [key: string]: Json }
type Resource = Fields & { id: string }

const changedKeys = (before: Fields, after: Fields): string[] =>
  Object.keys(after).filter((key) => key !== 'updated_at' && !isDeepStrictEqual(before[key], after[key]))

/** Whether a write would leave everything as it is: then there is nothing to do and nothing to audit. */
export const isSame = (before: Fields, after: Fields): boolean => changedKeys(before, after).length === 0

const event = (kind: string, actor: Actor, { id }: Resource, detail: Fields): AuditEvent => ({
  kind,
  actor,
  object_type: kind.slice(0, kind.indexOf('.')),
  object_id: id,
  detail,
})

/** The audit event of a new or removed resource holds all of it. @param kind `group.created` */
export const whole = (kind: string, actor: Actor, resource: Resource): AuditEvent =>
  event(kind, actor, resource, resource)

/** The audit event of an edit holds what was changed, before and after. @param kind `group.updated` */
export function edited(kind: string, actor: Actor, before: Resource, after: Resource): AuditEvent {
  const keys = changedKeys(before, after)
  const only = (fields: Fields) => Object.fromEntries(keys.map((key) => [key, fields[key] ?? null]))
  return event(kind, actor, after, { before: only(before), after: only(after) })
}
