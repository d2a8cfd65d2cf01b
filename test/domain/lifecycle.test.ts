import { expect, test } from 'vitest'

import { isFinal, lifecycle, mayHappen, statuses } from '../../domain/lifecycle.ts'
import type { LifecycleEvent } from '../../domain/lifecycle.ts'

const events = Object.keys(lifecycle) as LifecycleEvent[]

test('exactly five transitions exist', () => {
  const transitions = events.flatMap((event) =>
    statuses.filter((from) => mayHappen(event, from)).map((from) => `${from} ${event}`),
  )
  expect(transitions.sort()).toEqual([
    'approved expired',
    'approved revoked',
    'pending approved',
    'pending denied',
    'pending revoked',
  ])
})

test('denied, revoked and expired are final, and nothing happens to them', () => {
  const final = statuses.filter(isFinal)
  expect([...final].sort()).toEqual(['denied', 'expired', 'revoked'])
  expect(final.flatMap((status) => events.filter((event) => mayHappen(event, status)))).toEqual([])
})
