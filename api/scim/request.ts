import type { Context, MiddlewareHandler } from 'hono'
import { z } from 'zod'

import type { Actor } from '../../db/audit.ts'
import { findProvisioner } from '../../db/scim/tokens.ts'
import { DomainError } from '../../domain/errors.ts'
import type { ScimLimiter } from '../limit-scim.ts'
import { isRead } from '../router.ts'
import type { Env } from '../router.ts'
import { mediaType } from './problem.ts'

/** `provisioner`: as whom a provider acts. */
export type ScimEnv = { Variables: Env['Variables'] & { provisioner: Actor } }

/** Where everything of SCIM is, as providers see it. */
export const baseOf = (c: Context<ScimEnv>): string => `${c.get('deps').sign_in.public_url}/scim/v2`

/** @throws DomainError `not_found` for what no resource can have as its id */
export function getId(c: Context<ScimEnv>): string {
  const { success, data } = z.uuid().toLowerCase().safeParse(c.req.param('id'))
  if (success) return data
  throw new DomainError('not_found', 'There is no such resource.')
}

function readToken(c: Context<ScimEnv>): string {
  const token = /^Bearer +([\w-]{1,100})$/i.exec(c.req.header('authorization') ?? '')?.[1]
  if (token !== undefined) return token
  throw new DomainError('unauthenticated', 'Send a SCIM token: Authorization: Bearer hpc_….')
}

/**
 * A provider shows its token, and nothing else counts; each token may be shown so often.
 * @throws DomainError `unauthenticated`, `rate_limited`
 */
export const authenticateProvisioner =
  (limiter: ScimLimiter): MiddlewareHandler<ScimEnv> =>
  async (c, next) => {
    const { scim_token_id, actor } = await findProvisioner(c.get('deps').sql, readToken(c))
    await limiter.takeForToken(scim_token_id)
    c.set('provisioner', actor)
    await next()
  }

/**
 * A token that was deleted while a body arrived writes nothing: a slow one keeps no rights.
 * @throws DomainError `unauthenticated`
 */
export const authenticateAgain: MiddlewareHandler<ScimEnv> = async (c, next) => {
  if (!isRead(c.req.method)) await findProvisioner(c.get('deps').sql, readToken(c))
  await next()
}

/** Nothing here has a version, so none that somebody names is the one that it is now (RFC 9110, 13.1.1). */
export const refuseVersions: MiddlewareHandler<ScimEnv> = async (c, next) => {
  if ((c.req.header('if-match') ?? '*').trim() !== '*')
    throw new DomainError('precondition_failed', 'Resources have no versions here: send no If-Match.')
  await next()
}

/** The same to readers of JSON. */
export const takeScimJson: MiddlewareHandler<ScimEnv> = async (c, next) => {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type === mediaType) c.req.raw.headers.set('content-type', 'application/json')
  await next()
}
