import { isDeepStrictEqual } from 'node:util'

import type { Actor, AuditEvent, Json } from '../audit.ts'

type Fields = { [key: string]: Json }

/** A resource without what the database itself keeps of it. */
const fieldsOf = ({ created_at, updated_at, ...fields }: Fields): Fields => fields

export const isSame = (before: Fields, after: Fields): boolean =>
  isDeepStrictEqual(fieldsOf(before), fieldsOf(after))

/** Of both, the fields that differ. */
function difference(before: Fields, after: Fields): { before: Fields; after: Fields } {
  const keys = Object.keys(fieldsOf(after)).filter((key) => !isDeepStrictEqual(before[key], after[key]))
  const only = (fields: Fields) => Object.fromEntries(keys.map((key) => [key, fields[key] ?? null]))
  return { before: only(before), after: only(after) }
}

type Change = { object_type: string; actor: Actor; before?: Fields; after?: Fields & { id: string } }
