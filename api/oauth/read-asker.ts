import type { Context } from 'hono'

import { findCaller } from '../../db/directory/caller.ts'
import type { Caller } from '../../db/directory/caller.ts'
import { DomainError } from '../../domain/errors.ts'
import type { Session } from '../../domain/session.ts'
import { readBearerToken } from '../credentials/bearer-token.ts'
import { readDpopToken } from '../credentials/dpop-token.ts'
import type { Env } from '../router.ts'
import { authenticateClient } from './authenticate-client.ts'
import type { Form } from './form.ts'
import { invalidClient, OAuthError } from './oauth-error.ts'

const invalidToken = () => new OAuthError('invalid_token', 'The token is not valid here.')

async function readSession(c: Context<Env>): Promise<Session | undefined> {
  try {
    return (await readDpopToken(c)) ?? (await readBearerToken(c))
  } catch (error) {
    throw error instanceof DomainError && error.code === 'unauthenticated' ? invalidToken() : error
  }
}

async function byToken(c: Context<Env>, form: Form): Promise<Caller> {
  if (form.has('client_secret') || form.has('client_assertion'))
    throw new OAuthError('invalid_request', 'Authenticate in one way, not in two.', { reason: 'two_methods' })
  const session = await readSession(c)
  const caller = session && (await findCaller(c.get('deps').sql, session.caller_id, session))
  if (caller === undefined) throw invalidToken()
  return caller
}

/** Who asks about a token: a client as at the token endpoint, or anybody by a token of the product's own API. @throws OAuthError */
export async function readAsker(c: Context<Env>, form: Form): Promise<Caller> {
  const authorization = c.req.header('authorization')
  if (authorization !== undefined && /^(Bearer|DPoP) /i.test(authorization)) return byToken(c, form)
  const deps = c.get('deps')
  const { access } = await authenticateClient(deps, { form, authorization }, undefined)
  const caller = await findCaller(deps.sql, access.identity_id)
  if (caller === undefined) throw invalidClient('inactive_client', access.identity_id)
  return caller
}
