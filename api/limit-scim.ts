import type { MiddlewareHandler } from 'hono'

import type { Sql } from '../db/client.ts'
import { DomainError } from '../domain/errors.ts'
import { createAddressOf } from './client-address.ts'
import type { Env } from './router.ts'
import { createSharedLimiter } from './shared-limiter.ts'
import type { Wait } from './shared-limiter.ts'

export type ScimLimits = { scim_calls_per_minute: number; trusted_proxies: readonly string[] }

/** `byAddress` stands before authentication, `takeForToken` is asked after it: nobody uses up what is another's. */
export type ScimLimiter = {
  byAddress: MiddlewareHandler<Env>
  /** @throws DomainError `rate_limited` */
  takeForToken: (scim_token_id: string) => Promise<void>
}

/** A call without a valid token counts as so many. */
const failureCost = 20

/** A company has a provider or two, and perhaps a new one beside the old one. */
const tokensPerAddress = 2

function assertNoWait(wait: Wait): void {
  if (wait === undefined) return
  throw new DomainError('rate_limited', `Too many calls; wait ${wait} s.`, { retry_after: wait })
}

/** Bounds what providers call over all processes; each keeps permits in store, so that a call does not wait for them. */
export function createScimLimiter(sql: Sql, limits: ScimLimits): ScimLimiter {
  const { scim_calls_per_minute: per_minute, trusted_proxies } = limits
  const addressOf = createAddressOf(trusted_proxies)
  const tokens = createSharedLimiter(sql, { name: 'scim.token', per_minute, in_lumps: true })
  const addresses = createSharedLimiter(sql, {
    name: 'scim.address',
    per_minute: per_minute * tokensPerAddress,
    in_lumps: true,
  })
  return {
    async takeForToken(scim_token_id) {
      assertNoWait(await tokens.take(scim_token_id))
    },
    async byAddress(c, next) {
      const address = addressOf(c)
      assertNoWait(await addresses.take(address))
      await next()
      if (c.res.status === 401) await addresses.charge(address, failureCost - 1)
    },
  }
}
