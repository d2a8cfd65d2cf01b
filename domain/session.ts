/**
 * What a personal access token may be limited to. `token`: tokens for applications, which say all that its person holds
 * there; `admin`: whatever else needs a permission.
 */
export const scopes = ['read', 'request', 'decide', 'token', 'admin'] as const
export type Scope = (typeof scopes)[number]

export const sessionKinds = ['token', 'personal_access_token', 'cookie'] as const

/** For whom a call is made, and by what it was shown. `scopes` null: all that the caller may do. */
export type Session = {
  caller_id: string
  via: (typeof sessionKinds)[number]
  scopes: readonly Scope[] | null
  /** RFC 3339; when what was shown ends. */
  expires_at: string
  /** Of a token: its id, by which it can be revoked. */
  jti?: string
  /** Of a token that is bound to a key (RFC 9449): the thumbprint of that key, which the call has proven to have. */
  jkt?: string
  personal_access_token_id?: string
  session_id?: string
}
