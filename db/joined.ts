import { setImmediate } from 'node:timers/promises'

import type { Sql } from './client.ts'

type Waiting<Item, Result> = {
  item: Item
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

type Lane<Item, Result> = { waiting: Waiting<Item, Result>[]; underway: number }

const mostAtOnce = 64
const mostUnderway = 1

/**
 * One round trip for everything that is asked for while others are under way. Each result is of a statement that began
 * after it was asked for, so it tells of all that was committed before. `run` gives the results in the order of the items.
 */
export function joined<Item, Result>(run: (sql: Sql, items: Item[]) => Promise<Result[]>) {
  const lanes = new WeakMap<Sql, Lane<Item, Result>>()

  async function answer(sql: Sql, batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await run(
        sql,
        batch.map(({ item }) => item),
      )
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
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    lane.waiting.push({ item, resolve, reject })
    if (lane.underway < mostUnderway) void work(sql, lane)
    return promise
  }
}
