import type { Child } from './child.ts'

/** Children that wait, so that a run does not pay for starting one. */
export type Pool = { take(): Promise<Child>; close(): Promise<void> }

const REFILL_DELAY_MS = 100

/** Keeps `size` children waiting; each that is taken is replaced a moment later, when the run it serves is under way. */
export function createPool(size: number, start: () => Promise<Child>): Pool {
  const waiting: Promise<Child>[] = []
  let closed = false

  const add = () => {
    const child = start()
    waiting.push(child)
    child.catch(() => {})
  }
  const fill = () => {
    if (!closed && waiting.length < size) add()
  }
  for (let index = 0; index < size; index += 1) add()

  return {
    async take() {
      const next = waiting.shift()
      setTimeout(fill, REFILL_DELAY_MS).unref()
      const child = next === undefined ? null : await next.catch(() => null)
      return child?.isAlive() ? child : await start()
    },
    async close() {
      closed = true
      const children = await Promise.allSettled(waiting.splice(0))
      const alive = children.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
      for (const child of alive) child.kill()
      await Promise.all(alive.map((child) => child.exited))
    },
  }
}
