/** The values that each field of a cron expression matches, ascending; `day_of_week` counts from Sunday, 0. */
export type Cron = Record<Field, number[]>

type Field = 'minute' | 'hour' | 'day_of_month' | 'month' | 'day_of_week'
type Bounds = { field: Field; from: number; to: number; names?: string[] }

const fields: Bounds[] = [
  { field: 'minute', from: 0, to: 59 },
  { field: 'hour', from: 0, to: 23 },
  { field: 'day_of_month', from: 1, to: 31 },
  {
    field: 'month',
    from: 1,
    to: 12,
    names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  },
  { field: 'day_of_week', from: 0, to: 7, names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] },
]

const longestMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** The message says what is wrong, for the author. */
export class CronInvalid extends Error {
  override readonly name = 'CronInvalid'
}

function readValue(text: string, { field, from, to, names = [] }: Bounds): number {
  const index = names.indexOf(text.toUpperCase())
  const value = index >= 0 ? index + from : /^\d{1,2}$/.test(text) ? Number(text) : -1
  if (value >= from && value <= to) return value
  throw new CronInvalid(`"${text}" is no ${field}: it goes from ${from} to ${to}`)
}

function readStep(text: string | undefined, { field }: Bounds): number {
  if (text === undefined) return 1
  if (/^[1-9]\d?$/.test(text)) return Number(text)
  throw new CronInvalid(`"/${text}" is no step of ${field}`)
}

/** `*`, `3`, `3-7`, each with an optional step: `*` + `/15`, `3/15` (from 3 on), `3-59/15`. */
function readPart(part: string, bounds: Bounds): number[] {
  const [range = '', step, ...more] = part.split('/')
  const [first = '', last, ...rest] = range.split('-')
  if (more.length > 0 || rest.length > 0) throw new CronInvalid(`"${part}" is no ${bounds.field}`)
  const every = readStep(step, bounds)
  const from = first === '*' ? bounds.from : readValue(first, bounds)
  const isOpen = last === undefined && (first === '*' || step !== undefined)
  const to = isOpen ? bounds.to : last === undefined ? from : readValue(last, bounds)
  if (from > to || (first === '*' && last !== undefined))
    throw new CronInvalid(`"${part}" is no range of ${bounds.field}`)
  return Array.from({ length: Math.floor((to - from) / every) + 1 }, (_, index) => from + index * every)
}

function readField(text: string, bounds: Bounds): number[] {
  const values = text.split(',').flatMap((part) => readPart(part, bounds))
  const known = bounds.field === 'day_of_week' ? values.map((value) => value % 7) : values
  return [...new Set(known)].sort((one, other) => one - other)
}

/**
 * Reads the usual five fields: minute, hour, day of month, month, day of week. A day of the month together with a day
 * of the week is refused, since programs disagree about what that means, and so is a day that never comes.
 * @throws CronInvalid
 */
export function parseCron(text: string): Cron {
  const parts = text.trim().split(/\s+/)
  if (parts.length !== fields.length)
    throw new CronInvalid('five fields are needed: minute, hour, day of month, month, day of week')
  const cron = Object.fromEntries(
    fields.map((bounds, index) => [bounds.field, readField(parts[index] ?? '', bounds)]),
  ) as Cron
  if (cron.day_of_month.length < 31 && cron.day_of_week.length < 7)
    throw new CronInvalid('name a day of the month or a day of the week, not both')
  const [earliest = 1] = cron.day_of_month
  if (!cron.month.some((month) => (longestMonths[month - 1] ?? 0) >= earliest))
    throw new CronInvalid('the day never comes')
  return cron
}

/**
 * Whether a time zone has this name in the IANA database (`UTC`, `Europe/London`), spelt exactly so: others who read
 * it tell upper and lower case apart, and know no offsets such as `+01:00`.
 */
export function isTimezone(name: string): boolean {
  if (!/^(UTC|[A-Z]\w*(\/[A-Z][\w+-]*)+)$/.test(name)) return false
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions()
    return timeZone === name || timeZone.toLowerCase() !== name.toLowerCase()
  } catch {
    return false
  }
}
