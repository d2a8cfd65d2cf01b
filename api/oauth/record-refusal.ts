import { appendAudit, nobody } from '../../db/audit.ts'
import { transaction } from '../../db/client.ts'
import type { Sql } from '../../db/client.ts'
import { findClientId } from '../../db/oauth/client-access.ts'
import { OAuthError } from './oauth-error.ts'

type Where = { endpoint: 'token' | 'introspect' | 'revoke'; grant_type?: string }

/** Puts on record what was refused, to which client of ours if it named one, and why; nothing else of what was sent. */
export async function recordRefusal(sql: Sql, error: unknown, where: Where): Promise<void> {
  if (!(error instanceof OAuthError)) return
  const { code, reason } = error
  await transaction(sql, async (tx) => {
    const client_id = await findClientId(tx, error.client_id)
    await appendAudit(tx, {
      kind: 'token.refused',
      actor: nobody,
      ...(client_id !== null && { object_type: 'identity', object_id: client_id }),
      detail: { ...where, client_id, error: code, reason },
    })
  })
}
