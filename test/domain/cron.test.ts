import { describe, expect, test } from 'vitest'

import { isTimezone, parseCron } from '../../domain/cron.ts'
import { ScriptTaskInput } from '../../domain/script-task.ts'

describe('a cron expression', () => {
  test.each([
    ['0 9 * * 1', { minute: [0], hour: [9], day_of_week: [1] }],
    ['*/20 3/8 1 * *', { minute: [0, 20, 40], hour: [3, 11, 19], day_of_month: [1] }],
    ['5,1-3,2 0 * * *', { minute: [1, 2, 3, 5] }],
    ['0 0 * jan,Dec *', { month: [1, 12] }],
    ['0 0 * * fri-sat,7', { day_of_week: [0, 5, 6] }],
    ['  30   6   31   1,2   * ', { minute: [30], day_of_month: [31], month: [1, 2] }],
    ['0 0 29 2 *', { day_of_month: [29], month: [2] }],
    ['10-50/20 * * * *', { minute: [10, 30, 50] }],
  ])('%s is understood', (text, cron) => {
    expect(parseCron(text)).toMatchObject(cron)
  })

  test.each([
    ['', 'five fields'],
    ['* * * *', 'five fields'],
    ['0 0 9 * * 1', 'five fields'],
    ['@daily', 'five fields'],
    ['60 * * * *', '"60" is no minute'],
    ['* 24 * * *', '"24" is no hour'],
    ['* * 0 * *', '"0" is no day_of_month'],
    ['* * * 13 *', '"13" is no month'],
    ['* * * * 8', '"8" is no day_of_week'],
    ['-1 * * * *', '"" is no minute'],
    ['1.5 * * * *', '"1.5" is no minute'],
    ['*/0 * * * *', 'no step of minute'],
    ['*/ * * * *', 'no step of minute'],
    ['1/2/3 * * * *', 'is no minute'],
    ['5-3 * * * *', 'no range of minute'],
    ['*-3 * * * *', 'no range of minute'],
    ['1,,2 * * * *', '"" is no minute'],
    ['L * * * *', '"L" is no minute'],
    ['0 9 15 * 1', 'not both'],
    ['0 0 31 2,4,6 *', 'never comes'],
    ['0 0 * * MONDAY', 'is no day_of_week'],
  ])('%s is refused', (text, reason) => {
    expect(() => parseCron(text)).toThrow(reason)
  })
})

test.each(['UTC', 'Europe/London', 'Asia/Kolkata', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])(
  '%s is a time zone',
  (name) => expect(isTimezone(name)).toBe(true),
)

test.each([
  '',
  'utc',
  'europe/london',
  'Europe/LONDON',
  '+01:00',
  'Mars/Phobos',
  'EST',
  '../etc/passwd',
  'Europe/',
])('%s is none', (name) => expect(isTimezone(name)).toBe(false))

describe('the schedule of a script task', () => {
  const script = 'export const run = () => ""'
  const pointersOf = (schedule: object) =>
    ScriptTaskInput.safeParse({ name: 'a', script, ...schedule }).error?.issues.map(({ path }) =>
      path.join('/'),
    )
  const cron = { schedule_type: 'cron', cron_expression: '0 9 * * 1' }

  test.each([
    [{}],
    [{ schedule_type: 'interval', interval_seconds: 10 }],
    [cron],
    [{ ...cron, timezone: 'Europe/London' }],
  ])('%o is taken', (schedule) => expect(pointersOf(schedule)).toBeUndefined())

  test.each([
    [{ schedule_type: 'interval' }, 'interval_seconds'],
    [{ schedule_type: 'interval', interval_seconds: 9 }, 'interval_seconds'],
    [{ schedule_type: 'interval', interval_seconds: 60, cron_expression: '* * * * *' }, 'cron_expression'],
    [{ schedule_type: 'interval', interval_seconds: 60, timezone: 'UTC' }, 'timezone'],
    [{ interval_seconds: 60 }, 'interval_seconds'],
    [{ cron_expression: '* * * * *' }, 'cron_expression'],
    [{ timezone: 'UTC' }, 'timezone'],
    [{ schedule_type: 'cron' }, 'cron_expression'],
    [{ schedule_type: 'cron', cron_expression: '' }, 'cron_expression'],
    [{ ...cron, cron_expression: '61 * * * *' }, 'cron_expression'],
    [{ ...cron, interval_seconds: 60 }, 'interval_seconds'],
    [{ ...cron, timezone: 'Mars/Phobos' }, 'timezone'],
    [{ schedule_type: 'yearly' }, 'schedule_type'],
  ])('%o is refused', (schedule, pointer) => expect(pointersOf(schedule)).toEqual([pointer]))
})
