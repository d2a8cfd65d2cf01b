import type { Context, MiddlewareHandler } from 'hono'
import { z } from 'zod'

import type { Actor } from '../../db/audit.ts'
import { findProvisioner } from '../../db/scim/tokens.ts'
import { DomainError } from '../../domain/errors.ts'
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

/** A provider shows its token, and nothing else counts. @throws DomainError `unauthenticated` */
export const authenticateProvisioner: MiddlewareHandler<ScimEnv> = async (c, next) => {
  const token = /^Bearer +([\w-]{1,100})$/i.exec(c.req.header('authorization') ?? '')?.[1]
  if (token === undefined)
    throw new DomainError('unauthenticated', 'Send a SCIM token: Authorization: Bearer hpc_….')
  c.set('provisioner', await findProvisioner(c.get('deps').sql, token))
  await next()
}

/** The same to readers of JSON. */
export const takeScimJson: MiddlewareHandler<ScimEnv> = async (c, next) => {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type === mediaType) c.req.raw.headers.set('content-type', 'application/json')
  await next()
}
