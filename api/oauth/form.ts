import type { Context } from 'hono'

import { DomainError } from '../../domain/errors.ts'
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

function refuseLong(error: unknown): never {
  if (!(error instanceof DomainError) || error.code !== 'body_too_large') throw error
  throw new OAuthError('invalid_request', error.message, { reason: 'body_too_large', status: 413 })
}

/** What says how long it is, and is not too long, is read at once; anything else is counted while it arrives. */
async function readText(c: Context<Env>): Promise<string> {
  const length = c.req.header('content-length')
  if (length !== undefined && Number(length) <= maxBytes) return c.req.text()
  const { body } = c.req.raw
  return body === null ? '' : Buffer.from(await readBytes(body, maxBytes).catch(refuseLong)).toString('utf8')
}

/** Reads the parameters of a request. @throws OAuthError `invalid_request` */
export async function readForm(c: Context<Env>): Promise<Form> {
  assertForm(c)
  const form = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(await readText(c))) {
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
