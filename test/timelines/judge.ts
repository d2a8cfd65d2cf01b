import { isDeepStrictEqual } from 'node:util'

import { beginning, groupIdOf, requestIdOf } from './load.ts'
import { claimsOf, expectedToken, heldAt } from './oracle.ts'
import type { Held as OracleHeld } from './oracle.ts'
import type { Said, Token } from './read.ts'
import { mappings } from './timeline.ts'
import type { Timeline } from './timeline.ts'

const sorted = (values: unknown[]): string[] => values.map((value) => JSON.stringify(value)).sort()
const second = beginning / 1_000

function expectedPredicates(timeline: Timeline, number: number) {
  const held = heldAt(timeline, timeline.at)
  const source = (each: OracleHeld) => requestIdOf(number, each.source)
  return {
    held: held.map((each) => [groupIdOf(timeline, number, each.source), source(each), each.ends]),
    carried: held.flatMap((each) =>
      mappings
        .filter((_, index) => each.mappings.includes(index))
        .map(({ claim, value }) => [claim, value, source(each), each.ends]),
    ),
  }
}

/** Nothing may be in a token that ends before it, nothing active may be missing: said in other words than the oracle's. */
function findBreach(
  { at, ends, grants, memberships, is_active }: Timeline,
  token: Token,
): string | undefined {
  const exp = (token.exp - second) * 1_000
  if (!is_active || (ends !== null && ends <= at)) return 'a token for who is not active'
  if (ends !== null && exp > ends) return 'a token that outlives its identity'
  if (exp > at + 300_000 || exp <= at - 1_000) return 'a token that lives too long, or not at all'
  const givers = [
    ...memberships.map((each) => ({ ...each, is_grant: false, gives: true })),
    ...grants.map((each) => ({
      ...each,
      is_grant: true,
      gives: !each.is_ended && each.revocation !== 'queued',
    })),
  ]
  for (const [claim, values] of Object.entries(token.claims))
    for (const value of values) {
      const index = mappings.findIndex((each) => each.claim === claim && each.value === value)
      const backing = givers.filter(
        (each) =>
          each.gives &&
          each.group.mappings.includes(index) &&
          (each.ends ?? Infinity) > at &&
          (each.group.ends ?? Infinity) > at,
      )
      if (backing.length === 0) return `${claim} = ${value} from nowhere`
      if (!backing.some((each) => exp <= Math.min(each.ends ?? Infinity, each.group.ends ?? Infinity)))
        return `${claim} = ${value} outlives all that gives it`
    }
  return undefined
}

function judgeToken(timeline: Timeline, number: number, { token, api_token }: Said): string | undefined {
  const expected = expectedToken(timeline)
  if (expected === null) return token === null && api_token === null ? undefined : 'a token for nobody'
  if (token === null || api_token === null) return 'no token for who may have one'
  const { said, exp } = expected
  const grants = said.map(({ source }) => requestIdOf(number, source)).filter((id) => id !== null)
  if (token.exp - second !== exp) return `the end ${token.exp - second} instead of ${exp}`
  if (!isDeepStrictEqual(token.claims, claimsOf(said))) return `the claims ${JSON.stringify(token.claims)}`
  if (!isDeepStrictEqual(sorted(token.request_ids), sorted(grants))) return 'other requests'
  if (token.groups.length !== said.length) return 'other groups'
  const alone = Math.min(
    Math.floor(timeline.at / 1_000) + 300,
    Math.floor((timeline.ends ?? Infinity) / 1_000),
  )
  if (api_token.exp - second !== alone || api_token.groups.length > 0)
    return 'a token of the API that says more'
  return findBreach(timeline, token)
}

/** What is wrong with what the product says of a timeline; undefined: nothing. */
export function judge(timeline: Timeline, number: number, said: Said): string | undefined {
  const expected = expectedPredicates(timeline, number)
  const held = said.held.map(({ group_id, request_id, ends }) => [group_id, request_id, ends])
  if (!isDeepStrictEqual(sorted(held), sorted(expected.held)))
    return `the groups ${JSON.stringify(said.held)}`
  const carried = said.carried.map(({ claim, value, request_id, ends }) => [claim, value, request_id, ends])
  if (!isDeepStrictEqual(sorted(carried), sorted(expected.carried)))
    return `the mappings ${JSON.stringify(said.carried)}`
  return judgeToken(timeline, number, said)
}
