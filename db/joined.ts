import { setImmediate } from 'node:timers/promises'

import { DomainError } from '../domain/errors.ts'
import type { Sql } from './client.ts'

type Waiting<Item, Result> = {
  item: Item
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

type Lane<Item, Result> = { waiting: Waiting<Item, Result>[]; underway: number }

const mostAtOnce = 64
const mostUnderway = 1

/** `patience_ms`: longer than the server lets a statement last; only a connection that died unseen needs it. */
type Bounds = { patience_ms?: number; most_waiting?: number }

const refused = () => new DomainError('unavailable', 'Too much is asked of the database; try again shortly.')

async function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(refused()), ms)
  return Promise.race([work, promise]).finally(() => clearTimeout(timer))
}

/**
 * One round trip for everything that is asked for while others are under way. Each result is of a statement that began
 * after it was asked for, so it tells of all that was committed before. `run` gives the results in the order of the items.
 * One that is never answered holds up the others for `patience_ms`. @throws DomainError `unavailable`
 */
export function joined<Item, Result>(
  run: (sql: Sql, items: Item[]) => Promise<Result[]>,
  { patience_ms = 10_000, most_waiting = 5_000 }: Bounds = {},
) {
  const lanes = new WeakMap<Sql, Lane<Item, Result>>()

  async function answer(sql: Sql, batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const items = batch.map(({ item }) => item)
      const results = await within(patience_ms, run(sql, items))
      batch.forEach(({ resolve }, index) => resolve(results[index] as Result))
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  async function work(sql: Sql, lane: Lane<Item, Result>): Promise<void> {
    lane.underway++
    while (lane.waiting.length > 0) {
      // Whatever else has arrived by now comes along.
      await setImmediate()
      await answer(sql, lane.waiting.splice(0, mostAtOnce))
    }
    lane.underway--
  }

  return (sql: Sql, item: Item): Promise<Result> => {
    const lane = lanes.get(sql) ?? { waiting: [], underway: 0 }
    lanes.set(sql, lane)
    if (lane.waiting.length >= most_waiting) return Promise.reject(refused())
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    lane.waiting.push({ item, resolve, reject })
    if (lane.underway < mostUnderway) void work(sql, lane)
    return promise
  }
}
