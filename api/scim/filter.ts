import { ScimError } from './problem.ts'

const text = String.raw`"((?:[^"\\]|\\["\\/])*)"`
const value = String.raw`\s+eq\s+(?:${text}|(true|false))`

/** `userName eq "a"`, `members.value eq "a"` or `members[value eq "a"]`, and what leads to the next one. */
const comparison = new RegExp(
  String.raw`\s*(?<name>[a-z]+)(?:(?:\.value)?${value}|\[value${value}\])\s*(?<next>and\s|$)`,
  'giy',
)

const longest = 2_000

type Comparison = { name: string; value: string | boolean }

/** Undefined: it is something else than comparisons by eq, joined by and. */
function readComparisons(filter: string): Comparison[] | undefined {
  const found = [...filter.matchAll(comparison)]
  if (filter.length > longest || found.at(-1)?.groups?.['next'] !== '') return undefined
  return found.map(([, name = '', ...values]) => {
    const [plain, truth, part, truthOfPart] = values
    const escaped = plain ?? part
    const isTrue = (truth ?? truthOfPart)?.toLowerCase() === 'true'
    return { name: name.toLowerCase(), value: escaped?.replaceAll(/\\(.)/g, '$1') ?? isTrue }
  })
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
  const isDistinct = new Set(comparisons.map(({ name }) => name)).size === comparisons.length
  if (comparisons.length === 0 || !isKnown || !isDistinct) {
    const named = Object.keys(names).join(', ')
    throw new ScimError('invalidFilter', `Filters compare by eq, joined by and, any of: ${named}.`)
  }
  const entries = comparisons.map(({ name, value }) => [names[name], value])
  return Object.fromEntries(entries) as Partial<Record<Names, string | boolean>>
}
