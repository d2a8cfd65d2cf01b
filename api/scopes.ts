import type { Context, MiddlewareHandler } from 'hono'
import { z } from 'zod'

import { isParty } from '../db/requests/find.ts'
import { DomainError } from '../domain/errors.ts'
import type { Scope } from '../domain/session.ts'
import { isRead } from './router.ts'
import type { Env } from './router.ts'

/** The writes that need less than `admin`, by where they go: any of the scopes will do. */
const writes: readonly (readonly [path: RegExp, scopes: readonly Scope[]])[] = [
  [/^\/access-requests$/, ['request']],
  [/^\/access-requests\/[^/]+\/messages$/, ['request']],
  [/^\/access-requests\/[^/]+\/(approve|deny|revoke)$/, ['decide']],
  [/^\/applications\/[^/]+\/token$/, ['token']],
]

/** What lets somebody in for longer, or as somebody else. */
const credentials =
  /^\/(personal-access-tokens|scim-tokens|signing-keys|sign-in-providers|identities\/[^/]+\/credentials)(\/|$)/

const pathOf = (c: Context<Env>): string => c.req.path.replace(/^\/api\/v1/, '')

function neededScopes(method: string, path: string): readonly Scope[] {
  if (isRead(method)) return ['read']
  const [, scopes] = (method === 'POST' && writes.find(([pattern]) => pattern.test(path))) || []
  return scopes ?? ['admin']
}

/** Taking back what one asked for, or was given, is part of asking. */
async function isOwnRevocation(c: Context<Env>, scopes: readonly Scope[]): Promise<boolean> {
  const id = /^\/access-requests\/([\da-f-]{36})\/revoke$/i.exec(pathOf(c))?.[1]
  if (id === undefined || c.req.method !== 'POST' || !scopes.includes('request')) return false
  return z.uuid().safeParse(id).success && isParty(c.get('deps').sql, { id }, c.get('caller'))
}

function assertMakesNoCredential(c: Context<Env>): void {
  if (isRead(c.req.method) || c.req.method === 'DELETE' || !credentials.test(pathOf(c))) return
  throw new DomainError('forbidden', 'A personal access token makes no credentials: sign in for that.')
}

/** The one place where scopes are looked at, for every route there is. @throws DomainError `forbidden` */
export const assertScope: MiddlewareHandler<Env> = async (c, next) => {
  const { scopes } = c.get('session')
  if (scopes === null) return next()
  assertMakesNoCredential(c)
  const needed = neededScopes(c.req.method, pathOf(c))
  const isWithin = needed.some((scope) => scopes.includes(scope)) || (await isOwnRevocation(c, scopes))
  if (isWithin) return next()
  throw new DomainError('forbidden', `This needs a token with the scope ${needed.join(' or ')}.`)
}
