const sizes: Record<string, number> = { m: 1, min: 1, h: 60, d: 1_440 }

/** `30m, 4h, 1d` in minutes; a number alone is minutes. Undefined where one of them is no duration. */
export function parseDurations(text: string): number[] | undefined {
  const mins: number[] = []
  for (const word of text.split(/[\s,]+/).filter(Boolean)) {
    const [, count, unit = 'm'] = /^(\d{1,7})(m|min|h|d)?$/i.exec(word) ?? []
    if (count === undefined) return undefined
    mins.push(Number(count) * (sizes[unit.toLowerCase()] ?? 1))
  }
  return mins
}

function asWord(mins: number): string {
  if (mins % 1_440 === 0) return `${mins / 1_440}d`
  return mins % 60 === 0 ? `${mins / 60}h` : `${mins}m`
}

export const writeDurations = (mins: readonly number[]): string => mins.map(asWord).join(', ')
