import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'

import { transaction } from '../../db/client.ts'
import { listEnabledProviders } from '../../db/sign-in/providers.ts'
import { beginSession, findPerson, listPeople } from '../../db/sign-in/sessions.ts'
import { DomainError } from '../../domain/errors.ts'
import { LocalSignIn } from '../../domain/sign-in.ts'
import type { SignInOptions } from '../../domain/sign-in.ts'
import { body, router } from '../router.ts'
import type { Env } from '../router.ts'
import { findSessionCookie, setSessionCookie } from './cookies.ts'
import { isLoopbackHost } from './same-origin.ts'

const isLoopbackAddress = (address: string): boolean => /^(::ffff:)?127\.|^::1$/.test(address)

/** Node's server hands its own request along; undefined where there is none. */
function peerOf(c: Context<Env>): string {
  const { incoming } = (c.env ?? {}) as { incoming?: { socket: { remoteAddress?: string } } }
  return incoming?.socket.remoteAddress ?? ''
}

const forwarded = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']

/** From this machine, to a name of this machine, and not handed on by a proxy. */
const isLocal = (c: Context<Env>): boolean =>
  c.get('deps').sign_in.has_local &&
  isLoopbackAddress(peerOf(c)) &&
  isLoopbackHost(c) &&
  forwarded.every((name) => c.req.header(name) === undefined)

const signIn = createRoute({
  method: 'post',
  path: '/local',
  request: { body: body(LocalSignIn) },
  responses: { 204: { description: 'Signed in' } },
})

/** What the sign-in page offers, and signing in by name alone, where the database is the embedded one. */
export const localSignIn = router()
  .openapi(signIn, async (c) => {
    if (!isLocal(c)) throw new DomainError('not_found', 'There is nothing at this address.')
    const { sql } = c.get('deps')
    const person = await findPerson(sql, c.req.valid('json').email)
    if (person === undefined)
      throw new DomainError('unauthenticated', 'There is no active person of that address.')
    const entrance = { method: 'local', replaced: findSessionCookie(c) } as const
    setSessionCookie(c, await transaction(sql, (tx) => beginSession(tx, person, entrance)))
    return c.body(null, 204)
  })
  .get('/options', async (c) => {
    const { sql } = c.get('deps')
    const providers = await listEnabledProviders(sql)
    const local = isLocal(c) ? await listPeople(sql) : null
    return c.json({ providers, local } satisfies SignInOptions)
  })
