import type { Context } from 'hono'

import { readBytes } from '../body.ts'
import type { Env } from '../router.ts'
import { OAuthError } from './oauth-error.ts'

/** What was sent, each parameter once; one without a value counts as not sent (RFC 6749, 3.2). */
export type Form = ReadonlyMap<string, string>

const maxBytes = 65_536

const refuse = (message: string, reason: string) => new OAuthError('invalid_request', message, { reason })

function assertForm(c: Context<Env>): void {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  const encoding = c.req.header('content-encoding') ?? 'identity'
  if (type !== 'application/x-www-form-urlencoded' || encoding !== 'identity')
    throw refuse('Send the parameters as application/x-www-form-urlencoded, not encoded.', 'media_type')
  if (c.req.raw.url.includes('?'))
    throw refuse('Parameters belong in the body, not in the URL.', 'parameters_in_url')
}

/** Reads the parameters of a request. @throws OAuthError, DomainError `body_too_large` */
export async function readForm(c: Context<Env>): Promise<Form> {
  assertForm(c)
  const bytes = c.req.raw.body === null ? new Uint8Array() : await readBytes(c.req.raw.body, maxBytes)
  const form = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(Buffer.from(bytes).toString('utf8'))) {
    if (form.has(name)) throw refuse('A parameter was sent twice.', 'duplicate_parameter')
    form.set(name, value)
  }
  for (const [name, value] of form) if (value === '') form.delete(name)
  return form
}

/** @throws OAuthError `invalid_request` */
export function getParameter(form: Form, name: string): string {
  const value = form.get(name)
  if (value === undefined) throw refuse(`The parameter ${name} is missing.`, 'missing_parameter')
  return value
}
