import type { Context, MiddlewareHandler } from 'hono'

import { findCaller } from '../db/directory/caller.ts'
import { DomainError } from '../domain/errors.ts'
import type { Session } from '../domain/session.ts'
import { findSessionCookie } from './auth/cookies.ts'
import { readBearerToken } from './credentials/bearer-token.ts'
import { readDpopToken } from './credentials/dpop-token.ts'
import { readPersonalAccessToken } from './credentials/personal-access-token.ts'
import { readSessionCookie } from './credentials/session-cookie.ts'
import type { Env } from './router.ts'

/** Undefined: the request shows no credential of this kind. @throws DomainError `unauthenticated`: it shows one that is not good */
export type ReadCredential = (c: Context<Env>) => Promise<Session | undefined>

/** Every kind of credential that a call of the API may show, in the order in which they are looked for. */
const credentials: readonly ReadCredential[] = [
  readSessionCookie,
  readPersonalAccessToken,
  readDpopToken,
  readBearerToken,
]

/** Which one of two would count is not for the caller to guess. @throws DomainError `unauthenticated` */
function assertOneCredential(c: Context<Env>): void {
  if (c.req.header('authorization') === undefined || findSessionCookie(c) === undefined) return
  throw new DomainError('unauthenticated', 'Send a token or the cookie of a session, not both.')
}

async function readSession(c: Context<Env>): Promise<Session> {
  assertOneCredential(c)
  for (const read of credentials) {
    const session = await read(c)
    if (session !== undefined) return session
  }
  throw new DomainError('unauthenticated', 'Send a token: Authorization: Bearer <token>.')
}

/** Whom the call is made for; one without a valid credential goes no further. */
export const authenticate: MiddlewareHandler<Env> = async (c, next) => {
  c.set('session', await readSession(c))
  await next()
}

/** Every call is made by an active identity. What it may do is read once its body has arrived: a slow one keeps no rights. */
export const identify: MiddlewareHandler<Env> = async (c, next) => {
  const session = c.get('session')
  const caller = await findCaller(c.get('deps').sql, session.caller_id, session)
  if (caller === undefined)
    throw new DomainError(
      'unauthenticated',
      'This identity is disabled or has expired, or what you have shown was revoked or has ended.',
    )
  c.set('caller', caller)
  await next()
}
