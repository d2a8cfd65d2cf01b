import type { Context } from 'hono'
import { z } from 'zod'

import type { Caller } from '../../db/directory/caller.ts'
import { mayManage } from '../../db/directory/caller.ts'
import { findEffectiveAccess } from '../../db/directory/effective-access.ts'
import type { EffectiveAccess } from '../../db/directory/effective-access.ts'
import { isOver, ownsApplication } from '../../db/oauth/revoked-tokens.ts'
import type { Deps } from '../deps.ts'
import type { TokenLimiter } from '../limit-tokens.ts'
import type { Env } from '../router.ts'
import { NotOurs } from '../token-signer.ts'
import type { TokenClaims } from '../token-signer.ts'
import { getParameter, readForm } from './form.ts'
import { readAsker } from './read-asker.ts'
import { recordRefusal } from './record-refusal.ts'

/** What a token says of itself; everything else in it is an entitlement. */
const ofItself = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'cnf', 'email', 'groups']

/**
 * The claims of a token of ours that has not ended and was not revoked; it is as long as what its subject holds. Only what
 * was looked at is none of ours: keys that cannot be read say nothing of it.
 * @throws DomainError `unavailable`
 */
export async function readOwnToken({ sql, signer }: Deps, token: string): Promise<TokenClaims | undefined> {
  const claims = await signer.read(token).catch((error: unknown) => {
    if (error instanceof NotOurs) return undefined
    throw error
  })
  const isOurs = claims !== undefined && z.uuid().safeParse(claims.sub).success
  return isOurs && !(await isOver(sql, claims)) ? claims : undefined
}

const isAmong = (said: unknown, held: readonly string[] = []): boolean =>
  Array.isArray(said) && said.every((value) => held.includes(value as string))

/** Whether all that a token says is so now. */
function isStillTrue(claims: TokenClaims, access: EffectiveAccess): boolean {
  if (access.app_id === null) return true
  const entitlements = Object.entries(claims).filter(([name]) => !ofItself.includes(name))
  return (
    claims['email'] === access.email &&
    isAmong(claims['groups'], access.groups) &&
    entitlements.every(([name, values]) => isAmong(values, access.claims[name]))
  )
}

async function findTruth(
  { sql, signer }: Deps,
  { sub, aud }: TokenClaims,
): Promise<EffectiveAccess | undefined> {
  const resource = aud === signer.issuer ? undefined : { slug: aud }
  const access = await findEffectiveAccess(sql, { identity_id: sub, resource, least_left_seconds: 0 })
  return access?.app_id === null && resource !== undefined ? undefined : access
}

async function mayKnow(
  { sql }: Deps,
  caller: Caller,
  { identity_id, app_id }: EffectiveAccess,
): Promise<boolean> {
  if (caller.id === identity_id || mayManage(caller)) return true
  return app_id !== null && ownsApplication(sql, caller.id, app_id)
}

async function introspect(deps: Deps, caller: Caller, token: string): Promise<Record<string, unknown>> {
  const claims = await readOwnToken(deps, token)
  if (claims === undefined) return { active: false }
  const access = await findTruth(deps, claims)
  if (access === undefined || !isStillTrue(claims, access)) return { active: false }
  if (!(await mayKnow(deps, caller, access))) return { active: false }
  const token_type = claims.cnf === undefined ? 'Bearer' : 'DPoP'
  return { ...claims, active: true, token_type, username: access.email }
}

/** Introspection (RFC 7662): a token is active while everything that it says is true, and for those whom it concerns. */
export const introspectionEndpoint =
  (limiter: TokenLimiter) =>
  async (c: Context<Env>): Promise<Response> => {
    const deps = c.get('deps')
    try {
      const form = await readForm(c)
      const caller = await readAsker(c, form)
      return c.json(await introspect(deps, caller, getParameter(form, 'token')))
    } catch (error) {
      await recordRefusal(c, limiter, { error })
      throw error
    }
  }
