import { chargePermits, secondsUntilFree, takePermits } from '../db/rate-limits.ts'
import type { Sql } from '../db/client.ts'

/** Undefined: go on. Otherwise whole seconds after which it is worth trying again. */
export type Wait = number | undefined

/** Bounds how often something happens for each key, over all processes that share the database. */
export type SharedLimiter = {
  take(key: string): Promise<Wait>
  /** It went wrong: that counts as so many more, of what this process has in store first. */
  charge(key: string, permits: number): Promise<void>
}

/**
 * Permits that this process has taken from the database and not used yet. `refill`: more are on their way;
 * `refused_until`: until then there are none, and nobody has to ask.
 */
type Store = { permits: number; until: number; refused_until: number; refill: Promise<void> | undefined }

/** Permits are taken from the database in lumps: so many times rarer than they are used. */
const lumps = 20
const storeMs = 60_000
/** Nobody makes this process remember more by naming ever more keys. */
const mostStores = 10_000

/** @param in_lumps whether a process may keep permits in store: cheaper, and a lump late where several processes run */
export function createSharedLimiter(
  sql: Sql,
  { name, per_minute, in_lumps }: { name: string; per_minute: number; in_lumps: boolean },
): SharedLimiter {
  const lump = in_lumps ? Math.max(1, Math.floor(per_minute / lumps)) : 1
  const stores = new Map<string, Store>()
  const bucketOf = (key: string) => ({ name, key, per_minute })

  function storeOf(key: string): Store {
    const known = stores.get(key)
    if (known !== undefined && known.until > performance.now()) return known
    const [oldest] = stores.keys()
    if (stores.size >= mostStores && oldest !== undefined) stores.delete(oldest)
    const store = { permits: 0, until: performance.now() + storeMs, refused_until: 0, refill: undefined }
    stores.set(key, store)
    return store
  }

  async function lease(key: string, store: Store): Promise<void> {
    for (const permits of new Set([lump, 1])) {
      if (!(await takePermits(sql, bucketOf(key), permits))) continue
      store.permits += permits
      return
    }
  }

  /** One at a time for each key: whoever comes meanwhile waits for the same. */
  function refill(key: string, store: Store): Promise<void> {
    store.refill ??= lease(key, store).finally(() => {
      store.refill = undefined
    })
    return store.refill
  }

  function spend(store: Store): boolean {
    if (store.permits < 1) return false
    store.permits -= 1
    return true
  }

  /** A busy key has its next lump before it needs it; where that fails, the one who needs it is told. */
  function lookAhead(key: string, store: Store): void {
    if (lump > 1 && store.permits < lump / 2) void refill(key, store).catch(() => undefined)
  }

  async function refuse(key: string, store: Store): Promise<number> {
    const seconds = await secondsUntilFree(sql, bucketOf(key))
    store.refused_until = performance.now() + seconds * 1_000
    return seconds
  }

  return {
    async take(key) {
      const store = storeOf(key)
      if (spend(store)) {
        lookAhead(key, store)
        return undefined
      }
      const left = store.refused_until - performance.now()
      if (left > 0) return Math.ceil(left / 1_000)
      await refill(key, store)
      if (spend(store) || (await takePermits(sql, bucketOf(key), 1))) return undefined
      return refuse(key, store)
    },
    async charge(key, permits) {
      const store = stores.get(key)
      const kept = Math.min(store?.permits ?? 0, permits)
      if (store !== undefined) store.permits -= kept
      if (kept < permits) await chargePermits(sql, bucketOf(key), permits - kept)
    },
  }
}
