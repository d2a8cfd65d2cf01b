import type { Context, MiddlewareHandler } from 'hono'

import type { Sql } from '../db/client.ts'
import { createAddressOf } from './client-address.ts'
import type { Env } from './router.ts'
import { createSharedLimiter } from './shared-limiter.ts'
import type { Wait } from './shared-limiter.ts'

export type TokenLimits = { tokens_per_minute: number; trusted_proxies: readonly string[] }

/**
 * `byAddress` stands before the token endpoint. `takeForClient` is asked once the client is authenticated, so that
 * nobody uses up what is another's.
 */
export type TokenLimiter = {
  byAddress: MiddlewareHandler<Env>
  takeForClient: (client_id: string) => Promise<Wait>
}

/** A call that failed counts as so many. */
const failureCost = 20

/** Many clients may share an address. */
const clientsPerAddress = 10

/** RFC 6749 has no word for it; `slow_down` is that of RFC 8628. */
export const slowDown = (c: Context, seconds: number): Response =>
  c.json({ error: 'slow_down', error_description: `Too many calls; wait ${seconds} s.` }, 429, {
    'retry-after': String(seconds),
    'cache-control': 'no-store',
  })

/** Bounds the token endpoint over all processes; each keeps permits in store, so that a mint does not wait for them. */
export function createTokenLimiter(sql: Sql, limits: TokenLimits): TokenLimiter {
  const { tokens_per_minute: per_minute, trusted_proxies } = limits
  const addressOf = createAddressOf(trusted_proxies)
  const clients = createSharedLimiter(sql, { name: 'token.client', per_minute, in_lumps: true })
  const addresses = createSharedLimiter(sql, {
    name: 'token.address',
    per_minute: per_minute * clientsPerAddress,
    in_lumps: true,
  })
  return {
    takeForClient: (client_id) => clients.take(client_id),
    async byAddress(c, next) {
      const address = addressOf(c)
      const wait = await addresses.take(address)
      if (wait !== undefined) return slowDown(c, wait)
      await next()
      const hasFailed = c.res.status >= 400 && c.res.status < 500 && c.res.status !== 429
      if (hasFailed) await addresses.charge(address, failureCost - 1)
      return undefined
    },
  }
}
