import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { chooseNotified, notificationPolicies } from '../../domain/notification-policy.ts'
import type { Candidate, Notification } from '../../domain/notification-policy.ts'

const member = (identity_id: string, group_id = 'g1', is_eligible = true): Candidate => ({
  identity_id,
  group_id,
  is_eligible,
})

const choose = (overrides: Partial<Notification>) =>
  chooseNotified({
    policy: 'all',
    count: 1,
    cursor: 0,
    candidates: [],
    first_group_id: 'g1',
    random: Math.random,
    ...overrides,
  })

describe('all', () => {
  test('tells every eligible member once, in order', () => {
    const candidates = [member('bob'), member('dana'), member('bob', 'g2'), member('eve', 'g2')]
    expect(choose({ candidates }).identity_ids).toEqual(['bob', 'dana', 'eve'])
  })

  test('leaves out who is not eligible', () => {
    expect(choose({ candidates: [member('bob', 'g1', false), member('dana')] }).identity_ids).toEqual([
      'dana',
    ])
  })
})

describe('first_n', () => {
  const policy = 'first_n'

  test('excludes first and counts then', () => {
    const candidates = [member('bob', 'g1', false), member('dana'), member('eve')]
    expect(choose({ policy, candidates }).identity_ids).toEqual(['dana'])
  })

  test('tells nobody of the second group when the first has nobody left', () => {
    const candidates = [member('bob', 'g1', false), member('eve', 'g2')]
    expect(choose({ policy, candidates, count: 5 }).identity_ids).toEqual([])
  })

  test('tells nobody when the first group is empty', () => {
    expect(choose({ policy, candidates: [member('eve', 'g2')] }).identity_ids).toEqual([])
  })
})

describe('random_n', () => {
  test('tells so many different ones across the groups, and each of them now and then', () => {
    const candidates = [member('a'), member('b'), member('c', 'g2'), member('d', 'g2', false)]
    const told = Array.from(
      { length: 300 },
      () => choose({ policy: 'random_n', candidates, count: 2 }).identity_ids,
    )
    expect(told.every((ids) => ids.length === 2 && new Set(ids).size === 2)).toBe(true)
    expect([...new Set(told.flat())].sort()).toEqual(['a', 'b', 'c'])
  })
})

describe('round_robin', () => {
  const policy = 'round_robin'
  const candidates = [member('a'), member('b'), member('c')]

  test('takes turns and wraps', () => {
    let cursor = 0
    const told = Array.from({ length: 5 }, () => {
      const chosen = choose({ policy, candidates, cursor })
      cursor = chosen.cursor
      return chosen.identity_ids[0]
    })
    expect(told).toEqual(['a', 'b', 'c', 'a', 'b'])
  })

  test('skips the excluded and goes on after the one it took', () => {
    const skipping = [member('a', 'g1', false), member('b'), member('c')]
    expect(choose({ policy, candidates: skipping, cursor: 0 })).toEqual({ identity_ids: ['b'], cursor: 2 })
  })

  test('takes each at most once for one request', () => {
    expect(choose({ policy, candidates, count: 10, cursor: 1 }).identity_ids).toEqual(['b', 'c', 'a'])
  })

  test('stays where it is when nobody is eligible', () => {
    expect(choose({ policy, candidates: [member('a', 'g1', false)], cursor: 0 })).toEqual({
      identity_ids: [],
      cursor: 0,
    })
  })

  test('survives a list that has become shorter than the cursor', () => {
    expect(choose({ policy, candidates: [member('a'), member('b')], cursor: 7 }).identity_ids).toEqual(['b'])
  })
})

test('whatever the policy: nobody twice, nobody excluded, no more than asked for', () => {
  const candidate = fc.record({
    identity_id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    group_id: fc.constantFrom('g1', 'g2'),
    is_eligible: fc.boolean(),
  })
  fc.assert(
    fc.property(
      fc.constantFrom(...notificationPolicies),
      fc.array(candidate, { maxLength: 12 }),
      fc.integer({ min: 1, max: 6 }),
      fc.nat(20),
      (policy, drawn, count, cursor) => {
        const eligible = new Map<string, boolean>(drawn.map((each) => [each.identity_id, each.is_eligible]))
        const candidates = drawn.map((each) => ({
          ...each,
          is_eligible: eligible.get(each.identity_id) ?? false,
        }))
        const { identity_ids } = choose({ policy, candidates, count, cursor })
        expect(new Set(identity_ids).size).toBe(identity_ids.length)
        expect(identity_ids.every((id) => eligible.get(id))).toBe(true)
        if (policy !== 'all') expect(identity_ids.length).toBeLessThanOrEqual(count)
      },
    ),
  )
})
