import type { Context, MiddlewareHandler } from 'hono'

import type { Sql } from '../db/client.ts'
import { DomainError } from '../domain/errors.ts'
import { createAddressOf } from './client-address.ts'
import type { Env } from './router.ts'
import { createSharedLimiter } from './shared-limiter.ts'
import type { Wait } from './shared-limiter.ts'

export type SignInLimits = { sign_ins_per_minute: number; trusted_proxies: readonly string[] }

/** One that failed counts as so many. */
const failureCost = 3

/** Showing what there is and leaving are no attempts. */
const free = /\/(options|sign-out)$/

function assertNoWait(wait: Wait): void {
  if (wait === undefined) return
  throw new DomainError('rate_limited', `Too many attempts to sign in; wait ${wait} s.`, {
    retry_after: wait,
  })
}

/** No address is longer: what a process keeps of attempts is bounded. */
const longestAddress = 254

/** The account that an attempt names, where it names one. */
async function accountOf(c: Context<Env>): Promise<string | undefined> {
  const fields: unknown = await c.req.json().catch(() => undefined)
  if (typeof fields !== 'object' || fields === null || !('email' in fields)) return undefined
  const { email } = fields
  if (typeof email !== 'string' || email.length > longestAddress) return undefined
  return email.trim().toLowerCase()
}

/**
 * Bounds attempts to sign in over all processes: for each address, and a third of that for each account that they name.
 * Stands behind whatever reads the body.
 * @throws DomainError `rate_limited`
 */
export function limitSignIns(sql: Sql, limits: SignInLimits): MiddlewareHandler<Env> {
  const { sign_ins_per_minute: per_minute, trusted_proxies } = limits
  const addressOf = createAddressOf(trusted_proxies)
  const of = (name: string, most: number) =>
    createSharedLimiter(sql, { name, per_minute: most, in_lumps: false })
  const addresses = of('sign_in.address', per_minute)
  const accounts = of('sign_in.account', Math.max(1, Math.floor(per_minute / 3)))
  return async (c, next) => {
    if (free.test(c.req.path)) return next()
    const address = addressOf(c)
    assertNoWait(await addresses.take(address))
    const account = await accountOf(c)
    if (account !== undefined) assertNoWait(await accounts.take(account))
    await next()
    const hasFailed = c.res.status >= 400 && c.res.status < 500
    if (hasFailed) await addresses.charge(address, failureCost - 1)
    return undefined
  }
}
