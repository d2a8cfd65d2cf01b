import type { MiddlewareHandler } from 'hono'

import { endSession } from '../../db/sign-in/sessions.ts'
import { readBody } from '../body.ts'
import { router } from '../router.ts'
import type { Env } from '../router.ts'
import { clearSessionCookie, findSessionCookie } from './cookies.ts'
import { linkSignIn } from './link.ts'
import { localSignIn } from './local.ts'
import { createOidcSignIn } from './oidc.ts'
import { fromOurPages } from './same-origin.ts'

/** Nothing here is for a cache, or for the page that somebody goes to next. */
const uncached: MiddlewareHandler<Env> = async (c, next) => {
  c.header('cache-control', 'no-store')
  c.header('referrer-policy', 'no-referrer')
  await next()
}

const signOut = router().post('/sign-out', async (c) => {
  const token = findSessionCookie(c)
  if (token !== undefined) await endSession(c.get('deps').sql, token)
  clearSessionCookie(c)
  return c.body(null, 204)
})

/** `/auth`: how people sign in and out. Whoever calls is unknown: `limit` bounds how often. */
export function createAuth(limit: MiddlewareHandler<Env>) {
  const auth = router()
  auth.use(uncached, fromOurPages, readBody, limit)
  for (const part of [localSignIn, createOidcSignIn(), linkSignIn, signOut]) auth.route('/', part)
  return auth
}
