import { Types } from 'scimmy'
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

const Equal = z.tuple([z.literal('eq'), z.union([z.string().max(1_000), z.boolean()])])
const Clause = z.union([Equal, z.object({ value: Equal }).transform(({ value }) => value)])

function parseFilter(text: string): unknown[] {
  try {
    return [...new Types.Filter(text)]
  } catch {
    throw new ScimError('invalidFilter', 'The filter is not one of RFC 7644.')
  }
}

/**
 * Attributes that are to equal something, all of them: `userName eq "a" and active eq true`.
 * @param names what each attribute, in small letters, is called here; @throws ScimError
 */
export function readFilter<Names extends string>(
  text: string | undefined,
  names: Record<string, Names>,
): Partial<Record<Names, string | boolean>> {
  if (text === undefined || text.trim() === '') return {}
  const [clauses, ...others] = parseFilter(text.slice(0, 2_000))
  const parsed = z.record(z.string(), Clause).safeParse(clauses)
  const known = Object.keys(parsed.data ?? {}).every((name) => Object.hasOwn(names, name.toLowerCase()))
  if (!parsed.success || !known || others.length > 0) {
    const named = Object.keys(names).join(', ')
    throw new ScimError('invalidFilter', `Filters compare by eq, joined by and, any of: ${named}.`)
  }
  const entries = Object.entries(parsed.data).map(([name, [, value]]) => [names[name.toLowerCase()], value])
  return Object.fromEntries(entries) as Partial<Record<Names, string | boolean>>
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
