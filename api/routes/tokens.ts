import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'

import { findEffectiveAccess } from '../../db/directory/effective-access.ts'
import type { EffectiveAccess } from '../../db/directory/effective-access.ts'
import { DomainError } from '../../domain/errors.ts'
import { ApplicationId } from '../../domain/ids.ts'
import { proveCall } from '../credentials/dpop-token.ts'
import { mintToken } from '../mint.ts'
import { json, problems, router, security, WriteHeaders } from '../router.ts'
import type { Env } from '../router.ts'

const AccessToken = z
  .object({ access_token: z.string(), token_type: z.enum(['Bearer', 'DPoP']), expires_in: z.int() })
  .meta({ id: 'AccessToken' })

const issue = createRoute({
  method: 'post',
  path: '/applications/{id}/token',
  tags: ['Tokens'],
  security,
  summary: 'A token for an application, for the caller',
  description:
    'It carries what is active now, and ends with the first of it that ends, or with what was shown for it; at most 300 s ' +
    'from now. What was asked for with a token that is bound to a key (`Authorization: DPoP`) is bound to the same key; ' +
    'beside any other credential a proof of RFC 9449 for this call, without `ath`, binds it to the key of the proof.',
  request: {
    params: z.object({ id: ApplicationId }),
    headers: WriteHeaders.extend({ dpop: z.string().optional() }),
  },
  responses: { 200: json(AccessToken, 'The token'), ...problems(404, 422) },
})

async function getAccess(c: Context<Env>, app_id: string): Promise<EffectiveAccess> {
  const asked = { identity_id: c.get('session').caller_id, resource: { app_id } }
  const access = await findEffectiveAccess(c.get('deps').sql, asked)
  if (access !== undefined && access.slug !== null) return access
  throw new DomainError('not_found', 'There is no such application.')
}

const refusedProof = () =>
  new DomainError('invalid_request', 'The proof is not a fresh one for this call.', {
    errors: [{ pointer: '/dpop', detail: 'must be one proof of this call, shown once' }],
  })

/** The key that the token is to be bound to: that of the caller's own token, or that of a proof beside what was shown. */
async function findBinding(c: Context<Env>): Promise<string | undefined> {
  const { jkt } = c.get('session')
  if (jkt !== undefined || c.req.header('dpop') === undefined) return jkt
  return proveCall(c, refusedProof())
}

export const tokens = router().openapi(issue, async (c) => {
  // No answer is kept under an Idempotency-Key, nor a refusal: the next attempt brings another proof.
  c.header('cache-control', 'no-store')
  const { expires_at, personal_access_token_id } = c.get('session')
  const jkt = await findBinding(c)
  const access = await getAccess(c, c.req.valid('param').id)
  const ends_at = Math.floor(Date.parse(expires_at) / 1_000)
  if (ends_at <= access.now) throw new DomainError('unauthenticated', 'What you have shown ends now.')
  const cnf = jkt !== undefined && { cnf: { jkt } }
  const detail = { ...cnf, ...(personal_access_token_id !== undefined && { personal_access_token_id }) }
  const minted = await mintToken(c.get('deps'), { access, ends_at, claims: { ...cnf }, detail })
  const token_type = jkt === undefined ? ('Bearer' as const) : ('DPoP' as const)
  return c.json({ ...minted, token_type }, 200)
})
