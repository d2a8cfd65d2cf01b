/** What a personal access token may be limited to; `admin` is whatever needs a permission. */
export const scopes = ['read', 'request', 'decide', 'admin'] as const
export type Scope = (typeof scopes)[number]

/** For whom a call is made, and by what it was shown. `scopes` null: all that the caller may do. */
export type Session = {
  caller_id: string
  via: 'token' | 'personal_access_token' | 'cookie'
  scopes: readonly Scope[] | null
  /** RFC 3339; when what was shown ends. */
  expires_at: string
}
