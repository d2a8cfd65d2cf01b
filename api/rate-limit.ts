import type { MiddlewareHandler } from 'hono'
import { RateLimiterMemory } from 'rate-limiter-flexible'

import { DomainError } from '../domain/errors.ts'
import { isRead } from './router.ts'
import type { Env } from './router.ts'

/** The limiter rejects with its state, not with an error, when there is no room. */
function hasRoom(limiter: RateLimiterMemory, caller_id: string): Promise<boolean> {
  return limiter.consume(caller_id).then(
    () => true,
    () => false,
  )
}

/** Bounds the reads and the writes of each caller, in this process. */
export function limitCalls(of: {
  reads_per_minute: number
  writes_per_minute: number
}): MiddlewareHandler<Env> {
  const reads = new RateLimiterMemory({ points: of.reads_per_minute, duration: 60 })
  const writes = new RateLimiterMemory({ points: of.writes_per_minute, duration: 60 })
  return async (c, next) => {
    const [limiter, what] = isRead(c.req.method) ? [reads, 'reads'] : [writes, 'writes']
    if (await hasRoom(limiter, c.get('session').caller_id)) return next()
    throw new DomainError('rate_limited', `At most ${limiter.points} ${what} a minute; wait a little.`)
  }
}
