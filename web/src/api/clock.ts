/** How far the server's clock is ahead of this device's, in milliseconds, as far as its answers tell. */
let ahead = 0

/** `Date` headers count whole seconds: only a clock that is really wrong is made up for. */
export function heedServerClock(date: string | null): void {
  const difference = date === null ? Number.NaN : Date.parse(date) - Date.now()
  if (Number.isNaN(difference)) return
  ahead = Math.abs(difference) < 2_500 ? 0 : difference
}

export const serverNow = (): number => Date.now() + ahead
