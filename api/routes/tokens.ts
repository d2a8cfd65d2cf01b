import { createRoute, z } from '@hono/zod-openapi'

import { findEffectiveAccess } from '../../db/directory/effective-access.ts'
import { DomainError } from '../../domain/errors.ts'
import { ApplicationId } from '../../domain/ids.ts'
import type { Session } from '../../domain/session.ts'
import type { Deps } from '../deps.ts'
import { mintToken } from '../mint.ts'
import type { Minted } from '../mint.ts'
import { json, problems, router, security, WriteHeaders } from '../router.ts'

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
    'It carries what is active now, and ends with the first of it that ends, or with what was shown for it; at most 300 s from now.',
  request: { params: z.object({ id: ApplicationId }), headers: WriteHeaders },
  responses: { 200: json(AccessToken, 'The token'), ...problems(404) },
})

async function issueToken(
  deps: Deps,
  { caller_id: identity_id, expires_at }: Session,
  app_id: string,
): Promise<Minted> {
  const access = await findEffectiveAccess(deps.sql, { identity_id, resource: { app_id } })
  if (access === undefined || access.slug === null)
    throw new DomainError('not_found', 'There is no such application.')
  const ends_at = Math.floor(Date.parse(expires_at) / 1_000)
  if (ends_at <= access.now) throw new DomainError('unauthenticated', 'What you have shown ends now.')
  return mintToken(deps, { access, ends_at })
}

export const tokens = router().openapi(issue, async (c) => {
  const minted = await issueToken(c.get('deps'), c.get('session'), c.req.valid('param').id)
  return c.json({ ...minted, token_type: 'Bearer' as const }, 200, { 'cache-control': 'no-store' })
})
