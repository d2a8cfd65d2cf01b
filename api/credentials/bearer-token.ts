import { z } from 'zod'

import { DomainError } from '../../domain/errors.ts'
import type { Session } from '../../domain/session.ts'
import type { ReadCredential } from '../authenticate.ts'
import { NotOurs } from '../token-signer.ts'
import type { ApiToken, TokenSigner } from '../token-signer.ts'

const longestToken = 8_192

const unauthenticated = (message: string) => new DomainError('unauthenticated', message)

/** The token behind a scheme, in any spelling of it. @throws DomainError `unauthenticated` */
export function readToken(header: string, scheme: string): string {
  const token = /^\w+ +([\w.~+/-]+=*)$/.exec(header)?.[1]
  if (token === undefined || !header.toLowerCase().startsWith(`${scheme.toLowerCase()} `))
    throw unauthenticated('Send a token: Authorization: Bearer <token>.')
  if (token.length > longestToken) throw unauthenticated('The token is too long to be one of ours.')
  return token
}

/** What a token of ours, whose audience is the product itself, says. @throws DomainError `unauthenticated` */
export async function verifyToken(signer: TokenSigner, token: string): Promise<ApiToken> {
  try {
    const claims = await signer.verify(token)
    return { ...claims, sub: z.uuid().parse(claims.sub) }
  } catch (error) {
    if (!(error instanceof NotOurs || error instanceof z.ZodError)) throw error
    throw unauthenticated(
      'The token is not valid here: it is malformed, expired, or meant for something else.',
    )
  }
}

/** Whether the token was revoked meanwhile is looked at together with its identity. */
export const sessionOf = ({ sub, exp, jti, jkt }: ApiToken): Session => ({
  caller_id: sub,
  via: 'token',
  scopes: null,
  expires_at: new Date(exp * 1_000).toISOString(),
  jti,
  ...(jkt !== null && { jkt }),
})

/** A token that whoever bears it may use. */
export const readBearerToken: ReadCredential = async (c) => {
  const header = c.req.header('authorization')
  if (header === undefined) return undefined
  const token = await verifyToken(c.get('deps').signer, readToken(header, 'Bearer'))
  if (token.jkt !== null)
    throw unauthenticated('This token is bound to a key: send it as Authorization: DPoP, with a proof.')
  return sessionOf(token)
}
