import { z } from 'zod'

import { DomainError } from '../../domain/errors.ts'
import type { ReadCredential } from '../authenticate.ts'
import type { TokenSigner } from '../token-signer.ts'

const longestToken = 8_192

const unauthenticated = (message: string) => new DomainError('unauthenticated', message)

function readBearer(header: string): string {
  const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(header)?.[1]
  if (token === undefined) throw unauthenticated('Send a token: Authorization: Bearer <token>.')
  if (token.length > longestToken) throw unauthenticated('The token is too long to be one of ours.')
  return token
}

async function verify(signer: TokenSigner, token: string): Promise<{ sub: string; exp: number }> {
  try {
    const { sub, exp } = await signer.verify(token)
    return { sub: z.uuid().parse(sub), exp }
  } catch {
    throw unauthenticated(
      'The token is not valid here: it is malformed, expired, or meant for something else.',
    )
  }
}

/** A token of ours whose audience is the product itself. */
export const readBearerToken: ReadCredential = async (c) => {
  const header = c.req.header('authorization')
  if (header === undefined) return undefined
  const { sub, exp } = await verify(c.get('deps').signer, readBearer(header))
  return { caller_id: sub, via: 'token', scopes: null, expires_at: new Date(exp * 1_000).toISOString() }
}
