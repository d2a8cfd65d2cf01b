import type { MiddlewareHandler } from 'hono'
import { z } from 'zod'

import { findCaller } from '../db/directory/caller.ts'
import { DomainError } from '../domain/errors.ts'
import type { Env } from './router.ts'
import type { TokenSigner } from './token-signer.ts'

const longestToken = 8_192

const unauthenticated = (message: string) => new DomainError('unauthenticated', message)

function readBearer(header: string | undefined): string {
  const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(header ?? '')?.[1]
  if (token === undefined) throw unauthenticated('Send a token: Authorization: Bearer <token>.')
  if (token.length > longestToken) throw unauthenticated('The token is too long to be one of ours.')
  return token
}

async function subjectOf(signer: TokenSigner, token: string): Promise<string> {
  try {
    return z.uuid().parse((await signer.verify(token)).sub)
  } catch {
    throw unauthenticated(
      'The token is not valid here: it is malformed, expired, or meant for something else.',
    )
  }
}

/** Whom the token speaks for; a call without a valid one goes no further. */
export const authenticate: MiddlewareHandler<Env> = async (c, next) => {
  c.set('caller_id', await subjectOf(c.get('deps').signer, readBearer(c.req.header('authorization'))))
  await next()
}

/** Every call is made by an active identity. What it may do is read once its body has arrived: a slow one keeps no rights. */
export const identify: MiddlewareHandler<Env> = async (c, next) => {
  const caller = await findCaller(c.get('deps').sql, c.get('caller_id'))
  if (caller === undefined) throw unauthenticated('This identity is disabled or has expired.')
  c.set('caller', caller)
  await next()
}
