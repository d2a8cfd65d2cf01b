import { z } from 'zod'

import { ScimError } from './problem.ts'

const schema = String.raw`(?:urn:ietf:params:scim:schemas:core:2\.0:(?:user|group):)?`
const value = String.raw`\s+eq\s+(?<VALUE>"(?:[^"\\]|\\.)*"|true|false)`
const valueAs = (name: string) => value.replace('VALUE', name)

/**
 * `userName eq "a"`, `members.value eq "a"`, `members[value eq "a"]` or `emails[type eq "work"].value eq "a"`, and what
 * leads to the next one.
 */
const comparison = new RegExp(
  String.raw`\s*${schema}(?<name>[a-z]+)(?:(?:(?:\[type\s+eq\s+"work"\])?\.value)?${valueAs('plain')}` +
    String.raw`|\[value${valueAs('part')}\])\s*(?<next>and\s|$)`,
  'giy',
)

const longest = 2_000

type Comparison = { name: string; value: string | boolean }

/** What is written is JSON; no text that is kept has a NUL. Undefined: it is something else. */
function readValue(text: string): string | boolean | undefined {
  if (!text.startsWith('"')) return text.toLowerCase() === 'true'
  try {
    const read = z.string().parse(JSON.parse(text))
    return read.includes('\0') ? undefined : read
  } catch {
    return undefined
  }
}

/** Undefined: it is something else than comparisons by eq, joined by and. */
function readComparisons(filter: string): Comparison[] | undefined {
  const found = [...filter.matchAll(comparison)].map(({ groups = {} }) => groups)
  if (filter.length > longest || found.at(-1)?.['next'] !== '') return undefined
  const read: Comparison[] = []
  for (const { name = '', plain, part } of found) {
    const value = readValue(plain ?? part ?? '')
    if (value === undefined) return undefined
    read.push({ name: name.toLowerCase(), value })
  }
  return read
}

/**
 * Attributes that are to equal something, all of them: `userName eq "a" and active eq true`. Read here, as the reader of
 * SCIMMY writes to whatever a filter names, prototypes too, and takes 2^n steps for n alternatives.
 * @param names what each attribute, in small letters, is called here; @throws ScimError
 */
export function readFilter<Names extends string>(
  filter: string | undefined,
  names: Record<string, Names>,
): Partial<Record<Names, string | boolean>> {
  if (filter === undefined || filter.trim() === '') return {}
  const comparisons = readComparisons(filter) ?? []
  const isKnown = comparisons.every(({ name }) => Object.hasOwn(names, name))
  const entries = comparisons.map(({ name, value }) => [names[name], value] as const)
  const isDistinct = new Set(entries.map(([name]) => name)).size === entries.length
  if (comparisons.length === 0 || !isKnown || !isDistinct) {
    const named = Object.keys(names).join(', ')
    throw new ScimError('invalidFilter', `Filters compare by eq, joined by and, any of: ${named}.`)
  }
  return Object.fromEntries(entries) as Partial<Record<Names, string | boolean>>
}

export const asText = (asked: string | boolean | undefined): string | undefined =>
  asked === undefined ? undefined : String(asked)

/** No identity and no group has it. */
const nobody = '00000000-0000-0000-0000-000000000000'

/** As an id that rows can be compared to: what none can have is that of nobody. */
export function asId(asked: string | boolean | undefined): string | undefined {
  if (asked === undefined) return undefined
  return z.uuid().safeParse(asked).success ? String(asked).toLowerCase() : nobody
}
