import type { Context, MiddlewareHandler } from 'hono'

import { DomainError } from '../../domain/errors.ts'
import { isRead } from '../router.ts'
import type { Env } from '../router.ts'

const loopbackHost = /^(127\.0\.0\.1|\[::1\]|localhost)(:\d{1,5})?$/i

/** By its own name: a page elsewhere whose name was made to point here (DNS rebinding) sends that name. */
export const isLoopbackHost = (c: Context<Env>): boolean => loopbackHost.test(c.req.header('host') ?? '')

/** The origins that pages of ours have. On the embedded set-up people also come by another name of this machine. */
function ownOrigins(c: Context<Env>): string[] {
  const { public_url, has_local } = c.get('deps').sign_in
  const here = has_local && isLoopbackHost(c) ? [`http://${c.req.header('host')?.toLowerCase()}`] : []
  return [new URL(public_url).origin, ...here]
}

function isSameOrigin(c: Context<Env>): boolean {
  const origin = c.req.header('origin')
  if (origin !== undefined) return ownOrigins(c).includes(origin)
  return c.req.header('sec-fetch-site') === 'same-origin'
}

/** For what a browser sends by itself: a write has to come from a page of ours. @throws DomainError `forbidden` */
export function assertSameOrigin(c: Context<Env>): void {
  if (isRead(c.req.method) || isSameOrigin(c)) return
  throw new DomainError(
    'forbidden',
    'This has to come from a page of Hallpass itself: its Origin is another.',
  )
}

export const fromOurPages: MiddlewareHandler<Env> = async (c, next) => {
  assertSameOrigin(c)
  await next()
}
