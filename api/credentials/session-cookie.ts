import { useSession } from '../../db/sign-in/sessions.ts'
import { DomainError } from '../../domain/errors.ts'
import { findSessionCookie } from '../auth/cookies.ts'
import { assertSameOrigin } from '../auth/same-origin.ts'
import type { ReadCredential } from '../authenticate.ts'

/** The session of somebody who signed in; a browser sends it by itself, so a write says where it comes from. */
export const readSessionCookie: ReadCredential = async (c) => {
  const token = findSessionCookie(c)
  if (token === undefined) return undefined
  const session = await useSession(c.get('deps').sql, token)
  if (session === undefined)
    throw new DomainError('unauthenticated', 'Your session has ended: sign in again.')
  assertSameOrigin(c)
  const { id: session_id, identity_id: caller_id, ends_at: expires_at } = session
  return { caller_id, via: 'cookie', scopes: null, expires_at, session_id }
}
