/** Every code a caller can meet. The API maps each to its HTTP status; a code without one does not compile. */
export const errorCodes = [
  'malformed_json',
  'unauthenticated',
  'forbidden',
  'requester_not_allowed',
  'subject_not_allowed',
  'self_approval_forbidden',
  'not_an_approver',
  'not_found',
  'pending_request_exists',
  'request_not_pending',
  'request_not_active',
  'decision_in_progress',
  'trigger_task_blocked',
  'template_in_use',
  'in_use',
  'name_taken',
  'last_admin',
  'temporary_group',
  'idempotency_in_progress',
  'precondition_failed',
  'body_too_large',
  'unsupported_media_type',
  'invalid_request',
  'duration_not_allowed',
  'justification_required',
  'invalid_custom_answers',
  'app_id_immutable',
  'script_invalid',
  'idempotency_key_reused',
  'rate_limited',
  'internal',
  'unavailable',
] as const
export type ErrorCode = (typeof errorCodes)[number]

/** A field that was refused: `pointer` is a JSON pointer into the body (`/custom_answers/<id>`). */
export type FieldError = { pointer: string; detail: string }

/** The JSON pointer (RFC 6901) to a place in the body. */
export const pointerTo = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** Members beside the standard ones of a problem document. */
export type ProblemExtensions = {
  errors?: FieldError[]
  request_status?: string
  run_id?: string
  run_message?: string
  line?: number
  column?: number
  /** Whole seconds after which it is worth trying again; also the header Retry-After. */
  retry_after?: number
}

/** A refusal that the caller can act on. `message` is a sentence for a person and holds no secret. */
export class DomainError extends Error {
  override readonly name = 'DomainError'
  readonly code: ErrorCode
  readonly extensions: ProblemExtensions

  constructor(code: ErrorCode, message: string, extensions: ProblemExtensions = {}) {
    super(message)
    this.code = code
    this.extensions = extensions
  }
}
