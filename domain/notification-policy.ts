export const notificationPolicies = ['all', 'first_n', 'random_n', 'round_robin'] as const
export type NotificationPolicy = (typeof notificationPolicies)[number]

/** A member of an approver group. Lists of them are in the template's order of groups, then by joining. */
export type Candidate = { identity_id: string; group_id: string | null; is_eligible: boolean }

export type Notification = {
  policy: NotificationPolicy
  count: number
  /** Where the round robin stands: the number of places already passed. Only `round_robin` moves it. */
  cursor: number
  candidates: readonly Candidate[]
  /** The first group that the template names (it counts even when it is empty); null: the admins. */
  first_group_id: string | null
  /** Uniform in [0, 1). */
  random: () => number
}

export type Notified = { identity_ids: string[]; cursor: number }

function distinct(candidates: readonly Candidate[]): Candidate[] {
  const seen = new Set<string>()
  return candidates.filter(({ identity_id }) => !seen.has(identity_id) && seen.add(identity_id))
}

const idsOf = (candidates: readonly Candidate[]) => candidates.map(({ identity_id }) => identity_id)

const firstOf = (candidates: readonly Candidate[], group: string | null, count: number): Candidate[] =>
  candidates.filter((each) => each.group_id === group && each.is_eligible).slice(0, count)

function randomOf(candidates: readonly Candidate[], count: number, random: () => number): Candidate[] {
  return candidates
    .map((candidate) => ({ candidate, order: random() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, count)
    .map(({ candidate }) => candidate)
}

function nextOf(candidates: readonly Candidate[], count: number, cursor: number): Notified {
  const turn = candidates.map((_, step) => {
    const at = (cursor + step) % candidates.length
    return { candidate: candidates[at], after: (at + 1) % candidates.length }
  })
  const chosen = turn.filter(({ candidate }) => candidate?.is_eligible).slice(0, count)
  return {
    identity_ids: chosen.flatMap(({ candidate }) => candidate?.identity_id ?? []),
    cursor: chosen.at(-1)?.after ?? cursor,
  }
}

/** Who is told of a new request: exclusions first, then counting. `cursor` is the one to keep. */
export function chooseNotified(input: Notification): Notified {
  const { policy, count, cursor } = input
  const everyone = distinct(input.candidates)
  const eligible = everyone.filter(({ is_eligible }) => is_eligible)
  if (policy === 'round_robin') return nextOf(everyone, count, cursor)
  if (policy === 'first_n')
    return { identity_ids: idsOf(firstOf(everyone, input.first_group_id, count)), cursor }
  if (policy === 'random_n') return { identity_ids: idsOf(randomOf(eligible, count, input.random)), cursor }
  return { identity_ids: idsOf(eligible), cursor }
}
