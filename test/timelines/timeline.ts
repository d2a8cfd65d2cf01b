import type { Random } from './random.ts'

/** Milliseconds after the beginning of time, here; null: no end. */
export type End = number | null

/** The mappings that exist: those of the application that is asked about, by number, and one of another. */
export const mappings = [
  { claim: 'roles', value: 'reader' },
  { claim: 'roles', value: 'writer' },
  { claim: 'region', value: 'east' },
] as const
export const foreignMapping = 3

export type Group = { ends: End; mappings: number[] }
export type Grant = {
  ends: number
  /** The group's own end; usually the same. */
  group: Group & { ends: number }
  is_ended: boolean
  /** The state of the command that revokes it, if one was sent. */
  revocation: 'queued' | 'applied' | 'rejected' | null
}

/** One identity, and everything that it was ever given; `at` is when somebody looks. */
export type Timeline = {
  at: number
  is_active: boolean
  ends: End
  /** The groups that it belongs to, and until when. */
  memberships: { ends: End; group: Group }[]
  /** Groups that it does not belong to. */
  others: Group[]
  grants: Grant[]
}

/** Somebody looks at one of these; what ends does so around them. */
const moments = [100_000, 100_001, 100_500, 100_999, 101_000, 399_999, 400_000] as const
const distances = [
  -1_001, -1_000, -999, -501, -2, -1, 0, 1, 2, 499, 999, 1_000, 1_001, 1_999, 300_000,
] as const

const drawEnd = (random: Random): number =>
  random.isLucky(0.7)
    ? random.pick(moments) + random.pick(distances)
    : 99_000 + random.whole(random.pick([3_000, 600_000]))
const drawOpenEnd = (random: Random, share: number): End => (random.isLucky(share) ? drawEnd(random) : null)

const drawMappings = (random: Random): number[] =>
  [0, 1, 2, foreignMapping].filter(() => random.isLucky(0.35))

const drawGroup = (random: Random): Group => ({
  ends: drawOpenEnd(random, 0.3),
  mappings: drawMappings(random),
})

function drawGrant(random: Random): Grant {
  const ends = drawEnd(random)
  const group_ends = random.isLucky(0.9) ? ends : drawEnd(random)
  return {
    ends,
    group: { ends: group_ends, mappings: drawMappings(random) },
    is_ended: random.isLucky(0.15),
    revocation: random.pick([null, null, null, null, 'queued', 'applied', 'rejected']),
  }
}

const several = <Item>(random: Random, most: number, draw: () => Item): Item[] =>
  Array.from({ length: random.whole(most + 1) }, draw)

export function drawTimeline(random: Random): Timeline {
  return {
    at: random.pick(moments),
    is_active: random.isLucky(0.93),
    ends: drawOpenEnd(random, 0.25),
    memberships: several(random, 2, () => ({ ends: drawOpenEnd(random, 0.4), group: drawGroup(random) })),
    others: several(random, 1, () => drawGroup(random)),
    grants: several(random, 3, () => drawGrant(random)),
  }
}
