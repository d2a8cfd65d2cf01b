import { mappings } from './timeline.ts'
import type { End, Timeline } from './timeline.ts'

/** What is held, by the number of its membership (`m0`) or grant (`g0`). */
export type Held = { source: string; ends: End; mappings: number[] }

/** What a token may say, and when it ends, in seconds. */
export type Expected = { said: Held[]; exp: number } | null

const isOpen = (ends: End, at: number): boolean => ends === null || ends > at

/** Everything that is active at an instant: one rule after another, none of them clever. */
export function heldAt(timeline: Timeline, at: number): Held[] {
  const held: Held[] = []
  if (!timeline.is_active) return held
  if (!isOpen(timeline.ends, at)) return held
  timeline.memberships.forEach(({ ends, group }, index) => {
    if (isOpen(ends, at) && isOpen(group.ends, at))
      held.push({
        source: `m${index}`,
        ends: earliest([ends, group.ends, timeline.ends]),
        mappings: group.mappings,
      })
  })
  timeline.grants.forEach(({ ends, group, is_ended, revocation }, index) => {
    if (is_ended) return
    if (revocation === 'queued') return
    if (ends > at && group.ends > at)
      held.push({
        source: `g${index}`,
        ends: earliest([ends, group.ends, timeline.ends]),
        mappings: group.mappings,
      })
  })
  return held
}

function earliest(ends: End[]): End {
  let first: End = null
  for (const end of ends) if (end !== null && (first === null || end < first)) first = end
  return first
}

export function claimsOf(held: Held[]): Record<string, string[]> {
  const claims: Record<string, string[]> = {}
  mappings.forEach(({ claim, value }, number) => {
    if (held.some((each) => each.mappings.includes(number))) claims[claim] = [...(claims[claim] ?? []), value]
  })
  return claims
}

/** Null: there is nobody to give a token to. */
export function expectedToken(timeline: Timeline): Expected {
  const { at, is_active, ends } = timeline
  if (!is_active || !isOpen(ends, at + 1_000)) return null
  const said = heldAt(timeline, at + 1_000)
  const end = earliest([ends, ...said.map((each) => each.ends)])
  const now = Math.floor(at / 1_000)
  const exp = Math.min(now + 300, end === null ? Infinity : Math.floor(end / 1_000))
  return { said, exp }
}
