import { appendAuditAlone } from '../db/audit.ts'
import type { Json } from '../db/audit.ts'
import type { EffectiveAccess } from '../db/directory/effective-access.ts'
import type { Deps } from './deps.ts'

const maxTtlSeconds = 300

export type Mint = {
  access: EffectiveAccess
  /** What the token says besides its subject and the access. */
  claims?: { client_id?: string; cnf?: { jkt: string } }
  /** What the audit log learns besides. */
  detail?: { [key: string]: Json }
  /** When what was shown for it ends; seconds since 1970. */
  ends_at?: number | null
}

export type Minted = { access_token: string; expires_in: number }

/** No token outlives anything that it says, or that it was given for. Seconds since 1970. */
export const expiryOf = ({ access, ends_at }: Pick<Mint, 'access' | 'ends_at'>): number =>
  Math.min(access.now + maxTtlSeconds, access.ends_at ?? Infinity, ends_at ?? Infinity)

/** The one place where tokens are made for whoever asks. Nobody has one before its event is in the audit log. */
export async function mintToken({ sql, signer }: Deps, mint: Mint): Promise<Minted> {
  const { access, claims = {}, detail = {} } = mint
  const { identity_id, email, slug, groups, now, request_ids } = access
  const exp = expiryOf(mint)
  const aud = slug ?? signer.issuer
  const entitlements = slug === null ? {} : { ...access.claims, email, groups }
  const said = { ...entitlements, ...claims, sub: identity_id, aud }
  const { token, jti } = await signer.sign(said, { iat: now, exp })
  const event = {
    kind: 'token.issued',
    actor: { id: identity_id, email },
    object_type: access.app_id === null ? 'identity' : 'application',
    object_id: access.app_id ?? identity_id,
    detail: { jti, aud, exp, claims: access.claims, request_ids, ...detail },
  }
  await appendAuditAlone(sql, event, access.at)
  return { access_token: token, expires_in: exp - now }
}
