import { tokenPrefix, useToken } from '../../db/sign-in/personal-access-tokens.ts'
import { hashOfSecretToken } from '../../db/secret-tokens.ts'
import { DomainError } from '../../domain/errors.ts'
import type { ReadCredential } from '../authenticate.ts'

const shaped = /^Bearer +(hpp_.*)$/i

/** What a person made for a program of theirs; one that was mistyped never reaches the database. */
export const readPersonalAccessToken: ReadCredential = async (c) => {
  const token = shaped.exec(c.req.header('authorization') ?? '')?.[1]
  if (token === undefined) return undefined
  const hash = hashOfSecretToken(tokenPrefix, token)
  const found = hash && (await useToken(c.get('deps').sql, hash))
  if (found === undefined)
    throw new DomainError('unauthenticated', 'This personal access token is not valid, or no longer.')
  const { id: personal_access_token_id, identity_id: caller_id, scopes, expires_at } = found
  return { caller_id, via: 'personal_access_token', scopes, expires_at, personal_access_token_id }
}
