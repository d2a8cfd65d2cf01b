import type { Context } from 'hono'

import type { Versioned } from '../db/templates.ts'
import type { Precondition } from '../db/versions.ts'

/** Sends a resource with its version as a strong entity tag. */
export function sendVersioned<Resource extends object>(
  c: Context,
  { resource, version }: Versioned<Resource>,
) {
  c.header('etag', `"${version}"`)
  return c.json(resource, 200)
}

/** Strong comparison (RFC 9110, 13.1.1): a weak or foreign tag matches nothing. */
export function readIfMatch(c: Context): Precondition {
  const header = c.req.header('if-match')
  if (header === undefined) return undefined
  if (header.trim() === '*') return { any: true }
  const tags = header.split(',').map((tag) => /^\s*"([1-9]\d{0,8})"\s*$/.exec(tag)?.[1])
  return { versions: tags.flatMap((tag) => (tag === undefined ? [] : Number(tag))) }
}
