import type { MiddlewareHandler } from 'hono'
import { RateLimiterMemory } from 'rate-limiter-flexible'

import { DomainError } from '../domain/errors.ts'
import { isRead } from './router.ts'
import type { Env } from './router.ts'

/** Bounds the writes of each caller, in this process. */
export function limitWrites(writes_per_minute: number): MiddlewareHandler<Env> {
  const limiter = new RateLimiterMemory({ points: writes_per_minute, duration: 60 })
  return async (c, next) => {
    if (isRead(c.req.method) || (await hasRoom(limiter, c.get('session').caller_id))) return next()
    throw new DomainError('rate_limited', `At most ${writes_per_minute} writes a minute; wait a little.`)
  }
}

/** The limiter rejects with its state, not with an error, when there is no room. */
function hasRoom(limiter: RateLimiterMemory, caller_id: string): Promise<boolean> {
  return limiter.consume(caller_id).then(
    () => true,
    () => false,
  )
}
