import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** RFC 6749 5.2, RFC 8707, RFC 9449, RFC 6750, the server's own two; `slow_down` is the word of RFC 8628. */
const statuses = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  invalid_scope: 400,
  invalid_target: 400,
  invalid_dpop_proof: 400,
  invalid_token: 401,
  slow_down: 429,
  server_error: 500,
  temporarily_unavailable: 503,
} satisfies Record<string, ContentfulStatusCode>

type OAuthErrorCode = keyof typeof statuses

/**
 * What the audit log learns besides: why, and whose name was given. `status` where it is not the code's own;
 * `retry_after`: whole seconds.
 */
type Facts = { reason?: string; client_id?: string; status?: ContentfulStatusCode; retry_after?: number }

/** A refusal in the words of RFC 6749. `message` is for the caller and says nothing that only an insider may know. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly code: OAuthErrorCode
  readonly reason: string
  readonly client_id: string | undefined
  readonly status: ContentfulStatusCode
  readonly retry_after: number | undefined

  constructor(code: OAuthErrorCode, message: string, facts: Facts = {}) {
    const { reason, client_id, status, retry_after } = facts
    super(message)
    this.code = code
    this.reason = reason ?? code
    this.client_id = client_id
    this.status = status ?? statuses[code]
    this.retry_after = retry_after ?? (this.status === 503 ? 5 : undefined)
  }
}

/** Whoever is not who it says it is, is told this and nothing else: an unknown client and a wrong secret look alike. */
export const invalidClient = (reason: string, client_id?: string): OAuthError =>
  new OAuthError('invalid_client', 'The client cannot be authenticated.', {
    reason,
    ...(client_id !== undefined && { client_id }),
  })

/** Undefined `client_id`: it is the address that has called too often. */
export const slowDown = (seconds: number, client_id?: string): OAuthError =>
  new OAuthError('slow_down', `Too many calls; wait ${seconds} s.`, {
    reason: client_id === undefined ? 'address_limit' : 'client_limit',
    retry_after: seconds,
    ...(client_id !== undefined && { client_id }),
  })

const challenges: Partial<Record<OAuthErrorCode, string>> = {
  invalid_client: 'Basic realm="hallpass", charset="UTF-8"',
  invalid_token: 'Bearer realm="hallpass", error="invalid_token"',
}

export function sendOAuthError(c: Context, { code, message, status, retry_after }: OAuthError): Response {
  const challenge = challenges[code]
  return c.json({ error: code, error_description: message }, status, {
    'cache-control': 'no-store',
    ...(challenge !== undefined && { 'www-authenticate': challenge }),
    ...(retry_after !== undefined && { 'retry-after': String(retry_after) }),
    ...(status === 405 && { allow: 'POST' }),
  })
}
