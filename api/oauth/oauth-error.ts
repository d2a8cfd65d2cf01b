import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** RFC 6749 5.2, RFC 8707, RFC 9449, RFC 6750, and the server's own two. */
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
  server_error: 500,
  temporarily_unavailable: 503,
} satisfies Record<string, ContentfulStatusCode>

type OAuthErrorCode = keyof typeof statuses

/** What the audit log learns besides: why, and whose name was given. `status` where it is not the code's own. */
type Facts = { reason?: string; client_id?: string; status?: ContentfulStatusCode }

/** A refusal in the words of RFC 6749. `message` is for the caller and says nothing that only an insider may know. */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly code: OAuthErrorCode
  readonly reason: string
  readonly client_id: string | undefined
  readonly status: ContentfulStatusCode

  constructor(code: OAuthErrorCode, message: string, { reason, client_id, status }: Facts = {}) {
    super(message)
    this.code = code
    this.reason = reason ?? code
    this.client_id = client_id
    this.status = status ?? statuses[code]
  }
}

/** Whoever is not who it says it is, is told this and nothing else: an unknown client and a wrong secret look alike. */
export const invalidClient = (reason: string, client_id?: string): OAuthError =>
  new OAuthError('invalid_client', 'The client cannot be authenticated.', {
    reason,
    ...(client_id !== undefined && { client_id }),
  })

const challenges: Partial<Record<OAuthErrorCode, string>> = {
  invalid_client: 'Basic realm="hallpass", charset="UTF-8"',
  invalid_token: 'Bearer realm="hallpass", error="invalid_token"',
}

export function sendOAuthError(c: Context, { code, message, status }: OAuthError): Response {
  const challenge = challenges[code]
  return c.json({ error: code, error_description: message }, status, {
    ...(challenge !== undefined && { 'www-authenticate': challenge }),
    ...(status === 503 && { 'retry-after': '5' }),
    ...(status === 405 && { allow: 'POST' }),
  })
}
