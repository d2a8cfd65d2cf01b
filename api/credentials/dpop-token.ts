import type { Context } from 'hono'

import { isOutage } from '../../db/client.ts'
import { DomainError } from '../../domain/errors.ts'
import type { ReadCredential } from '../authenticate.ts'
import type { Env } from '../router.ts'
import { readToken, sessionOf, verifyToken } from './bearer-token.ts'
import { verifyProof } from './dpop-proof.ts'

/**
 * The thumbprint of the key that has proven this call.
 * @param access_token the one that the proof has to name; undefined: it names none
 * @throws DomainError `refused`
 */
export async function proveCall(
  c: Context<Env>,
  refused: DomainError,
  access_token?: string,
): Promise<string> {
  const { sql, signer } = c.get('deps')
  const url = `${signer.issuer}${new URL(c.req.url).pathname}`
  const proven = { method: c.req.method, url, ...(access_token !== undefined && { access_token }) }
  return verifyProof(sql, c.req.header('dpop') ?? '', proven).catch((error: unknown) => {
    throw isOutage(error) ? error : refused
  })
}

const noProof = () =>
  new DomainError('unauthenticated', 'Send with the token one fresh proof of its key: DPoP: <proof>.')

/** A token that is bound to a key (RFC 9449), with the proof that the caller has that key. */
export const readDpopToken: ReadCredential = async (c) => {
  const header = c.req.header('authorization')
  if (header === undefined || !/^DPoP /i.test(header)) return undefined
  const access_token = readToken(header, 'DPoP')
  const token = await verifyToken(c.get('deps').signer, access_token)
  const jkt = await proveCall(c, noProof(), access_token)
  if (token.jkt === jkt) return sessionOf(token)
  throw new DomainError('unauthenticated', 'The token is not bound to the key of this proof.')
}
