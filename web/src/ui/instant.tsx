import { asClock } from './durations.ts'
import { useNow } from './ticker.ts'

const short = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })

const sayExact = (at: string): string => `${exact.format(new Date(at))}, exactly ${at}`

/** A time in the viewer's zone; hovering tells the exact instant, in UTC too. */
export function Instant({ at }: { at: string }) {
  return (
    <time dateTime={at} title={sayExact(at)}>
      {short.format(new Date(at))}
    </time>
  )
}

/** How long it is until then, counting down. */
export function Countdown({ to }: { to: string }) {
  const left = Date.parse(to) - useNow()
  return (
    <time dateTime={to} title={`until ${sayExact(to)}`} className="tabular" role="timer">
      {asClock(left)}
    </time>
  )
}

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })
const spans = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

function sayAgo(ms: number): string {
  const [unit, size] = spans.find(([, size]) => ms >= size) ?? ['minute', 60_000]
  return ms < 60_000 ? 'just now' : relative.format(-Math.floor(ms / size), unit)
}

/** How long ago it was; hovering tells when. */
export function Ago({ at }: { at: string }) {
  const now = useNow()
  return (
    <time dateTime={at} title={sayExact(at)}>
      {sayAgo(now - Date.parse(at))}
    </time>
  )
}
