import type { ScriptTask } from '../../../../../domain/script-task.ts'

const units = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
] as const

function saySeconds(seconds: number): string {
  const [size, unit] = units.find(([size]) => seconds % size === 0) ?? [1, 's']
  return `${seconds / size} ${unit}`
}

/** When a script runs by itself, in a sentence's part. */
export function saySchedule({
  schedule_type,
  interval_seconds,
  cron_expression,
  timezone,
}: ScriptTask): string {
  if (schedule_type === 'interval') return `Every ${saySeconds(interval_seconds ?? 0)}`
  if (schedule_type === 'cron') return `${cron_expression ?? ''}, ${timezone ?? 'UTC'}`
  return 'None'
}

export const sayBinding = ({ events }: ScriptTask): string =>
  events.map((event) => event.replace('access_request.', '')).join(', ') || 'None'
