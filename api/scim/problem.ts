import type { Context } from 'hono'

import type { DomainError, ErrorCode } from '../../domain/errors.ts'
import { statusOf } from '../problem.ts'

export const mediaType = 'application/scim+json'

/** RFC 7644, 3.12: what a provider's engine tells apart. */
const scimTypes: Partial<Record<ErrorCode, string>> = {
  name_taken: 'uniqueness',
  invalid_request: 'invalidValue',
  malformed_json: 'invalidSyntax',
}

/** What SCIM calls by another status than the rest of the API. */
const statuses: Partial<Record<ErrorCode, 400>> = { invalid_request: 400 }

/** A refusal that only SCIM knows, by its own word. */
export class ScimError extends Error {
  override readonly name = 'ScimError'
  readonly status: 400 | 413
  readonly scimType:
    | 'invalidFilter'
    | 'invalidPath'
    | 'invalidValue'
    | 'invalidSyntax'
    | 'noTarget'
    | 'tooMany'

  constructor(scimType: ScimError['scimType'], message: string, status: ScimError['status'] = 400) {
    super(message)
    this.status = status
    this.scimType = scimType
  }
}

const document = (status: number, detail: string, scimType: string | undefined) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
  status: String(status),
  ...(scimType !== undefined && { scimType }),
  detail,
})

export function sendScimError(c: Context, { status, scimType, message }: ScimError): Response {
  return c.json(document(status, message, scimType), status, { 'content-type': mediaType })
}

export function sendRefusal(c: Context, error: DomainError): Response {
  const { code, message, extensions } = error
  const status = statuses[code] ?? statusOf(code)
  return c.json(document(status, message, scimTypes[code]), status, {
    'content-type': mediaType,
    ...(status === 401 && { 'www-authenticate': 'Bearer realm="hallpass-scim"' }),
    ...(status === 429 && { 'retry-after': String(extensions.retry_after ?? 60) }),
    ...(status === 503 && { 'retry-after': '5' }),
  })
}
