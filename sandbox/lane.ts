/** Why a place was not given. */
export type NoPlace = 'saturated' | 'cancelled'

/** A number of places that are given in the order they were asked for. */
export type Lane = {
  enter(wait_ms: number, signal: AbortSignal | undefined): Promise<NoPlace | null>
  leave(): void
}

/** A lane with `places` runs at a time and at most `queue` that wait. */
export function createLane(places: number, queue: number): Lane {
  let free = places
  const waiting = new Set<(answer: NoPlace | null) => void>()

  const wait = (wait_ms: number, signal: AbortSignal | undefined) => {
    const { promise, resolve } = Promise.withResolvers<NoPlace | null>()
    const answer = (given: NoPlace | null) => {
      waiting.delete(answer)
      resolve(given)
    }
    const cancel = () => answer('cancelled')
    const timer = setTimeout(() => answer('saturated'), wait_ms)
    signal?.addEventListener('abort', cancel)
    waiting.add(answer)
    return promise.finally(() => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', cancel)
    })
  }

  return {
    async enter(wait_ms, signal) {
      if (signal?.aborted) return 'cancelled'
      if (free === 0) return waiting.size < queue ? await wait(wait_ms, signal) : 'saturated'
      free -= 1
      return null
    },
    leave() {
      const [next] = waiting
      if (next === undefined) free += 1
      else next(null)
    },
  }
}
