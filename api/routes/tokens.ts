import { createRoute, z } from '@hono/zod-openapi'

import { appendAudit } from '../../db/audit.ts'
import { transaction } from '../../db/client.ts'
import { findEffectiveAccess } from '../../db/directory/effective-access.ts'
import type { EffectiveAccess } from '../../db/directory/effective-access.ts'
import type { Caller } from '../../db/directory/caller.ts'
import { DomainError } from '../../domain/errors.ts'
import { ApplicationId } from '../../domain/ids.ts'
import type { Deps } from '../deps.ts'
import { json, problems, router, security, WriteHeaders } from '../router.ts'

const maxTtlSeconds = 300

const AccessToken = z
  .object({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.int() })
  .meta({ id: 'AccessToken' })

const issue = createRoute({
  method: 'post',
  path: '/applications/{id}/token',
  tags: ['Tokens'],
  security,
  summary: 'A token for an application, for the caller',
  description:
    'It carries what is active now, and ends with the first of it that ends; at most 300 s from now.',
  request: { params: z.object({ id: ApplicationId }), headers: WriteHeaders },
  responses: { 200: json(AccessToken, 'The token'), ...problems(404) },
})

/** No token outlives anything that it says. Seconds since 1970. */
const expiryOf = ({ now, ends_at }: EffectiveAccess): number =>
  Math.min(now + maxTtlSeconds, ends_at ?? Infinity)

async function issueToken({ sql, signer }: Deps, caller: Caller, app_id: string) {
  return transaction(sql, async (tx) => {
    const access = await findEffectiveAccess(tx, caller.id, app_id)
    if (access === undefined) throw new DomainError('not_found', 'There is no such application.')
    const { slug, email, groups, claims, request_ids, now } = access
    const exp = expiryOf(access)
    const { token, jti } = await signer.sign(
      { ...claims, sub: caller.id, aud: slug, email, groups },
      { iat: now, exp },
    )
    await appendAudit(tx, {
      kind: 'token.issued',
      actor: caller,
      object_type: 'application',
      object_id: app_id,
      detail: { jti, aud: slug, exp, claims, request_ids },
    })
    return { access_token: token, token_type: 'Bearer' as const, expires_in: exp - now }
  })
}

export const tokens = router().openapi(issue, async (c) => {
  const token = await issueToken(c.get('deps'), c.get('caller'), c.req.valid('param').id)
  return c.json(token, 200, { 'cache-control': 'no-store' })
})
