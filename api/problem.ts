import { HTTPException } from 'hono/http-exception'
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { z } from 'zod'

import { isOutage } from '../db/client.ts'
import { DomainError, errorCodes } from '../domain/errors.ts'
import type { ErrorCode } from '../domain/errors.ts'

const statuses: Record<ErrorCode, ContentfulStatusCode> = {
  malformed_json: 400,
  unauthenticated: 401,
  forbidden: 403,
  requester_not_allowed: 403,
  subject_not_allowed: 403,
  self_approval_forbidden: 403,
  not_an_approver: 403,
  not_found: 404,
  pending_request_exists: 409,
  request_not_pending: 409,
  request_not_active: 409,
  decision_in_progress: 409,
  trigger_task_blocked: 409,
  template_in_use: 409,
  in_use: 409,
  name_taken: 409,
  last_admin: 409,
  temporary_group: 409,
  idempotency_in_progress: 409,
  precondition_failed: 412,
  body_too_large: 413,
  unsupported_media_type: 415,
  invalid_request: 422,
  duration_not_allowed: 422,
  justification_required: 422,
  invalid_custom_answers: 422,
  app_id_immutable: 422,
  script_invalid: 422,
  idempotency_key_reused: 422,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
}

export const statusOf = (code: ErrorCode): ContentfulStatusCode => statuses[code]

/** A problem document (RFC 9457) as the API sends it; `code` is stable, `detail` is a sentence for a person. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(errorCodes),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
    request_status: z.string().optional(),
    run_id: z.string().optional(),
    run_message: z.string().optional(),
    line: z.int().optional(),
    column: z.int().optional(),
    retry_after: z.int().optional(),
  })
  .meta({ id: 'Problem' })

const titleOf = (code: ErrorCode): string =>
  `${code.charAt(0).toUpperCase()}${code.slice(1).replaceAll('_', ' ')}`

const headersOf = ({ code, extensions }: DomainError): Record<string, string> => ({
  ...(code === 'unauthenticated' && { 'www-authenticate': 'Bearer realm="hallpass"' }),
  ...(code === 'unavailable' && { 'retry-after': '5' }),
  ...(code === 'rate_limited' && { 'retry-after': String(extensions.retry_after ?? 60) }),
  ...(code === 'idempotency_in_progress' && { 'retry-after': '1' }),
})

export function problem(c: Context, error: DomainError): Response {
  const { code, message, extensions } = error
  const status = statuses[code]
  const document = {
    type: `urn:hallpass:problem:${code}`,
    title: titleOf(code),
    status,
    detail: message,
    code,
    ...extensions,
  }
  return c.json(document, status, { ...headersOf(error), 'content-type': 'application/problem+json' })
}

/** Every error that leaves the API: what the domain refused, an outage, or a fault of ours that says nothing of itself. */
export function asDomainError(error: unknown): DomainError | undefined {
  if (error instanceof DomainError) return error
  if (error instanceof HTTPException && error.status === 400) {
    return new DomainError('malformed_json', 'The body is not JSON.')
  }
  if (isOutage(error))
    return new DomainError('unavailable', 'The database cannot be reached; try again shortly.')
  return undefined
}

export const internalError = (): DomainError =>
  new DomainError('internal', 'Something went wrong on our side; it has been logged.')
