const units = [
  ['day', 1_440],
  ['hour', 60],
  ['minute', 1],
] as const

const counted = (count: number, unit: string) => `${count} ${unit}${count === 1 ? '' : 's'}`

/** `90` is `1 hour 30 minutes`. */
export function inWords(mins: number): string {
  let rest = mins
  const parts: string[] = []
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size)
    if (count > 0) parts.push(counted(count, unit))
    rest -= count * size
  }
  return parts.join(' ') || 'no time'
}

const two = (value: number) => String(value).padStart(2, '0')

/** What is left, to the second, never less than nothing: `1 d 02:03:04`. */
export function asClock(ms: number): string {
  const left = Math.max(0, Math.ceil(ms / 1_000))
  const days = Math.floor(left / 86_400)
  const clock = [Math.floor(left / 3_600) % 24, Math.floor(left / 60) % 60, left % 60].map(two).join(':')
  return days > 0 ? `${days} d ${clock}` : clock
}
