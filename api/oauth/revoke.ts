import type { Context } from 'hono'

import { mayManage } from '../../db/directory/caller.ts'
import type { Caller } from '../../db/directory/caller.ts'
import { revokeToken } from '../../db/oauth/revoked-tokens.ts'
import type { Deps } from '../deps.ts'
import type { TokenLimiter } from '../limit-tokens.ts'
import type { Env } from '../router.ts'
import { getParameter, readForm } from './form.ts'
import { readOwnToken } from './introspect.ts'
import { OAuthError } from './oauth-error.ts'
import { readAsker } from './read-asker.ts'
import { recordRefusal } from './record-refusal.ts'

/** What is no token of ours, or has ended, needs no revocation (RFC 7009, 2.2). @throws OAuthError for a token of others */
async function revoke(deps: Deps, actor: Caller, token: string): Promise<void> {
  const claims = await readOwnToken(deps, token)
  if (claims === undefined) return
  if (claims.sub !== actor.id && !mayManage(actor))
    throw new OAuthError('unauthorized_client', 'This token was not issued to you.', { client_id: actor.id })
  const { jti, exp, sub, aud } = claims
  await revokeToken(deps.sql, { jti, exp, sub, aud, actor })
}

/** Revocation (RFC 7009): of the caller's own tokens; whoever manages access requests revokes any. */
export const revocationEndpoint =
  (limiter: TokenLimiter) =>
  async (c: Context<Env>): Promise<Response> => {
    const deps = c.get('deps')
    try {
      const form = await readForm(c)
      await revoke(deps, await readAsker(c, form), getParameter(form, 'token'))
      return c.body(null, 200)
    } catch (error) {
      await recordRefusal(c, limiter, { error })
      throw error
    }
  }
