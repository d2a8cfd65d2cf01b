import type { Context } from 'hono'

import { appendAudit, nobody } from '../../db/audit.ts'
import { transaction } from '../../db/client.ts'
import { findClientId } from '../../db/oauth/client-access.ts'
import type { TokenLimiter } from '../limit-tokens.ts'
import type { Env } from '../router.ts'
import { OAuthError } from './oauth-error.ts'

const endpoints = ['token', 'introspect', 'revoke'] as const
type Endpoint = (typeof endpoints)[number]

const endpointOf = (c: Context<Env>): Endpoint | undefined =>
  endpoints.find((endpoint) => c.req.path === `/oauth/${endpoint}`)

/**
 * Puts on record what was refused, to which client of ours if it named one, and why; nothing else of what was sent.
 * That somebody is to slow down, once a minute.
 * @param grant_type of a call of the token endpoint that came so far as to name one
 */
export async function recordRefusal(
  c: Context<Env>,
  limiter: TokenLimiter,
  { error, grant_type }: { error: unknown; grant_type?: string },
): Promise<void> {
  const endpoint = endpointOf(c)
  if (!(error instanceof OAuthError) || endpoint === undefined) return
  const { code, reason } = error
  if (code === 'slow_down' && !(await limiter.isWorthALine(c, error.client_id))) return
  await transaction(c.get('deps').sql, async (tx) => {
    const client_id = await findClientId(tx, error.client_id)
    await appendAudit(tx, {
      kind: 'token.refused',
      actor: nobody,
      ...(client_id !== null && { object_type: 'identity', object_id: client_id }),
      detail: { endpoint, ...(grant_type !== undefined && { grant_type }), client_id, error: code, reason },
    })
  })
}
