import { z } from 'zod'

import type { Window } from '../../db/scim/users.ts'
import { ScimError } from './problem.ts'

const mostResults = 200

/** RFC 7644, 3.4.2.4: what is below its least counts as that. */
const whole = (least: number, otherwise: number) =>
  z
    .string()
    .regex(/^-?\d{1,9}$/)
    .transform((text) => Math.max(least, Number(text)))
    .default(otherwise)

const Page = z.object({ startIndex: whole(1, 1), count: whole(0, 100) })

/** @param query as it came; @throws ScimError */
export function readWindow(query: Record<string, string>): Window & { startIndex: number } {
  const { success, data } = Page.safeParse(query)
  if (!success) throw new ScimError('invalidValue', 'startIndex and count are whole numbers.')
  const { startIndex, count } = data
  return { startIndex, skipped: startIndex - 1, limit: Math.min(count, mostResults) }
}

const namesIn = (list: string | undefined): string[] | undefined =>
  list?.split(',').map((name) =>
    name
      .trim()
      .toLowerCase()
      .replace(/^urn:ietf:params:scim:schemas:core:2\.0:(user|group):/, ''),
  )

/** Whether an attribute is asked for; a part of it is asked for with the whole. */
export function wants(query: Record<string, string>, attribute: string): boolean {
  if (namesIn(query['excludedAttributes'])?.includes(attribute)) return false
  return namesIn(query['attributes'])?.some((name) => name.split('.')[0] === attribute) ?? true
}
