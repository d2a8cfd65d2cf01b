import type { z } from 'zod'

type Issue = z.core.$ZodRawIssue
type Of<Code extends Issue['code']> = Extract<Issue, { code: Code }>

const counted: Record<string, [one: string, many: string]> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
}

const expected: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

const formats: Record<string, string> = {
  uuid: 'must be an id (UUID)',
  datetime: 'must be a date and time, such as 2026-11-23T10:00:00Z',
}

/** `3 characters`, or the number alone where it is one. */
function amount(origin: string, limit: number | bigint): string {
  const [one, many] = counted[origin] ?? []
  const unit = Number(limit) === 1 ? one : many
  return unit === undefined ? String(limit) : `${limit} ${unit}`
}

function sayBound(origin: string, bound: 'least' | 'most', limit: number | bigint): string {
  const verb = counted[origin] === undefined ? 'be' : 'have'
  return `must ${verb} at ${bound} ${amount(origin, limit)}`
}

function sayTooSmall({ origin, minimum, inclusive = true }: Of<'too_small'>): string | undefined {
  if (!inclusive) return undefined
  if (counted[origin] !== undefined && Number(minimum) === 1) return 'must not be empty'
  return sayBound(origin, 'least', minimum)
}

const sayTooBig = ({ origin, maximum, inclusive = true }: Of<'too_big'>): string | undefined =>
  inclusive ? sayBound(origin, 'most', maximum) : undefined

function sayType(issue: Of<'invalid_type'>): string | undefined {
  if (issue.input === undefined) return 'is required'
  const what = expected[issue.expected]
  return what === undefined ? undefined : `must be ${what}`
}

function sayChoice(values: unknown): string | undefined {
  if (!Array.isArray(values) || values.length === 0) return undefined
  return values.length === 1 ? `must be ${String(values[0])}` : `must be one of ${values.join(', ')}`
}

/** What is wrong with a field, to whoever filled it in; undefined: what zod says. A schema's own words come before these. */
export function sayIssue(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'too_small':
      return sayTooSmall(issue)
    case 'too_big':
      return sayTooBig(issue)
    case 'invalid_type':
      return sayType(issue)
    case 'invalid_value':
      return sayChoice(issue.values)
    case 'invalid_union':
      return sayChoice(issue['options'])
    case 'invalid_format':
      return formats[issue.format]
    default:
      return undefined
  }
}
