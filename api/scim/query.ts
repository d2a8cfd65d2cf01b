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

/** Whether an attribute is asked for. */
export function wants(query: Record<string, string>, attribute: string): boolean {
  const list = (text: string | undefined) =>
    text
      ?.toLowerCase()
      .split(',')
      .map((name) => name.trim())
  if (list(query['excludedAttributes'])?.includes(attribute)) return false
  return list(query['attributes'])?.includes(attribute) ?? true
}
