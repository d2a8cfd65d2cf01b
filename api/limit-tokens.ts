import type { Context } from 'hono'

import type { Sql } from '../db/client.ts'
import { createAddressOf } from './client-address.ts'
import type { Env } from './router.ts'
import { createSharedLimiter } from './shared-limiter.ts'
import type { Wait } from './shared-limiter.ts'

export type TokenLimits = { tokens_per_minute: number; trusted_proxies: readonly string[] }

/**
 * `takeForAddress` stands before whatever gives or tells of tokens, `chargeFailure` behind it. `takeForClient` is asked
 * once the client is authenticated, so that nobody uses up what is another's.
 */
export type TokenLimiter = {
  takeForAddress: (c: Context<Env>) => Promise<Wait>
  chargeFailure: (c: Context<Env>) => Promise<void>
  takeForClient: (client_id: string) => Promise<Wait>
  /**
   * Whether it is the first time within a minute that a caller, or else the address of a call, is told to wait: whoever
   * floods does not fill the audit log.
   */
  isWorthALine: (c: Context<Env>, caller_id: string | undefined) => Promise<boolean>
}

/** A call that failed counts as so many. */
const failureCost = 20

/** Many clients may share an address. */
const clientsPerAddress = 10

/** Bounds tokens over all processes; each keeps permits in store, so that a mint does not wait for them. */
export function createTokenLimiter(sql: Sql, limits: TokenLimits): TokenLimiter {
  const { tokens_per_minute: per_minute, trusted_proxies } = limits
  const addressOf = createAddressOf(trusted_proxies)
  const clients = createSharedLimiter(sql, { name: 'token.client', per_minute, in_lumps: true })
  const addresses = createSharedLimiter(sql, {
    name: 'token.address',
    per_minute: per_minute * clientsPerAddress,
    in_lumps: true,
  })
  const lines = createSharedLimiter(sql, { name: 'token.limited', per_minute: 1, in_lumps: false })
  return {
    takeForAddress: (c) => addresses.take(addressOf(c)),
    chargeFailure: (c) => addresses.charge(addressOf(c), failureCost - 1),
    takeForClient: (client_id) => clients.take(client_id),
    isWorthALine: async (c, caller_id) => (await lines.take(caller_id ?? addressOf(c))) === undefined,
  }
}
