import { setImmediate } from 'node:timers/promises'

import type { Sql, Tx } from './client.ts'

class TransactionOver extends Error {
  readonly code = 'CONNECTION_CLOSED'
}

function refuseOver(isOver: () => boolean): void {
  if (isOver()) throw new TransactionOver('the connection of this transaction has ended')
}

/** The transaction, of which nothing can be asked once it is over. */
const bound = (tx: Tx, isOver: () => boolean): Tx =>
  new Proxy(tx, {
    apply(target, self, args) {
      refuseOver(isOver)
      return Reflect.apply(target, self, args) as unknown
    },
    get(target, key) {
      refuseOver(isOver)
      return Reflect.get(target, key) as unknown
    },
  })

/**
 * Runs `work` in one transaction. When its connection dies, the answer is an error at once, but postgres.js goes on:
 * what `work` asks next, and the rollback, would be run by themselves on whatever the connection is by then, and would
 * last. Here nothing comes next.
 */
export async function begin<Result>(sql: Sql, work: (tx: Tx) => Promise<Result>): Promise<Result> {
  let over = false
  const isOver = () => over
  const run = async (tx: Tx) => {
    try {
      return { result: await work(bound(tx, isOver)) }
    } catch (error) {
      // A connection that died has told of it by then.
      await setImmediate()
      throw error
    } finally {
      // Nobody waits for it any more. If it came to an end, postgres.js would roll back.
      if (over) await new Promise<never>(() => {})
    }
  }
  try {
    return (await sql.begin(run)).result
  } finally {
    over = true
  }
}
