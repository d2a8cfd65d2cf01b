import type { CalendarSpec, ScheduleSpec, ScheduleSpecDescription } from '@temporalio/client'

import type { TaskSchedule } from '../db/scripts/schedules.ts'
import { parseCron } from '../domain/cron.ts'

const months = [
  'JANUARY',
  'FEBRUARY',
  'MARCH',
  'APRIL',
  'MAY',
  'JUNE',
  'JULY',
  'AUGUST',
  'SEPTEMBER',
  'OCTOBER',
  'NOVEMBER',
  'DECEMBER',
] as const
const days = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'] as const

const pick = <Name>(names: readonly Name[], indexes: number[]): Name[] =>
  names.filter((_, index) => indexes.includes(index))

function calendarOf(cron_expression: string): CalendarSpec {
  const { minute, hour, day_of_month, month, day_of_week } = parseCron(cron_expression)
  return {
    minute,
    hour,
    dayOfMonth: day_of_month,
    month: pick(
      months,
      month.map((number) => number - 1),
    ),
    dayOfWeek: pick(days, day_of_week),
    comment: cron_expression,
  }
}

/** When a task runs by itself, in Temporal's words. */
export function specOf(task: TaskSchedule): ScheduleSpec {
  if (task.schedule_type === 'interval') return { intervals: [{ every: `${task.interval_seconds}s` }] }
  return { calendars: [calendarOf(task.cron_expression)], timezone: task.timezone ?? 'UTC' }
}

const cronFields = ['minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'] as const

type Range = { start: unknown; end: unknown }

/** Values are written one by one: a range of several was written by somebody else. */
const valuesOf = (ranges: Range[]) => ranges.map(({ start, end }) => (start === end ? start : null))

function isCalendar(found: ScheduleSpecDescription['calendars'], wanted: CalendarSpec): boolean {
  const [calendar, ...more] = found ?? []
  if (calendar === undefined || more.length > 0) return false
  return cronFields.every(
    (field) => JSON.stringify(valuesOf(calendar[field])) === JSON.stringify(wanted[field]),
  )
}

/** Whether a schedule that was found says what it should. */
export function isSpecOf(
  task: TaskSchedule,
  { calendars, intervals, timezone }: ScheduleSpecDescription,
): boolean {
  const periods = (intervals ?? []).map(({ every }) => every)
  if (task.schedule_type === 'interval')
    return (
      (calendars ?? []).length === 0 && periods.length === 1 && periods[0] === task.interval_seconds * 1_000
    )
  const isInZone = timezone === (task.timezone ?? 'UTC')
  return periods.length === 0 && isInZone && isCalendar(calendars, calendarOf(task.cron_expression))
}
