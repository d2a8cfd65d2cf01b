import { createRoute } from '@hono/zod-openapi'

import { useLink } from '../../db/sign-in/links.ts'
import { LinkSignIn } from '../../domain/sign-in.ts'
import { body, router } from '../router.ts'
import { findSessionCookie, setSessionCookie } from './cookies.ts'

const signIn = createRoute({
  method: 'post',
  path: '/link',
  request: { body: body(LinkSignIn) },
  responses: { 204: { description: 'Signed in' } },
})

/** Signing in by a one-time link, which the operator printed: the first admin's, or the way back in. */
export const linkSignIn = router().openapi(signIn, async (c) => {
  const use = { input: c.req.valid('json'), replaced: findSessionCookie(c) }
  setSessionCookie(c, await useLink(c.get('deps').sql, use))
  return c.body(null, 204)
})
