/** The value below which the share `at` of all values lies. */
export function quantile(values: readonly number[], at: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))] ?? 0
}

export const median = (values: readonly number[]) => quantile(values, 0.5)

/** Least and most, with two digits. */
export const range = (values: readonly number[]) =>
  `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`

/** Adds how long the work took, in ms. */
export async function time(into: number[], work: () => Promise<unknown>): Promise<void> {
  const began = performance.now()
  await work()
  into.push(performance.now() - began)
}

export const print = (line: string) => void process.stdout.write(`${line}\n`)
