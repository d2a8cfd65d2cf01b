import { setImmediate } from 'node:timers/promises'

import type { MiddlewareHandler } from 'hono'

import { DomainError } from '../domain/errors.ts'
import { refuseJson } from './refuse-json.ts'
import { isRead } from './router.ts'
import type { Env } from './router.ts'

export const maxBytes = 1_048_576

/** Between the steps that read a longer one, others have their turn. */
const quickBytes = 65_536

/** Counts what arrives rather than trusting Content-Length. @throws DomainError `body_too_large` */
export async function readBytes(stream: ReadableStream<Uint8Array>, most = maxBytes): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.byteLength
    if (size > most) throw new DomainError('body_too_large', `A body may have at most ${most} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function decode(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    JSON.parse(text)
    return text
  } catch {
    throw new DomainError('malformed_json', 'The body is not JSON in UTF-8.')
  }
}

async function readJson(bytes: Uint8Array): Promise<string> {
  const text = decode(bytes)
  if (bytes.byteLength > quickBytes) await setImmediate()
  const refusal = refuseJson(text)
  if (refusal !== undefined) throw new DomainError('malformed_json', `The body is not taken. ${refusal}`)
  if (bytes.byteLength > quickBytes) await setImmediate()
  return text
}

function assertMediaType(header: string | undefined, encoding: string | undefined): void {
  const type = header?.split(';')[0]?.trim().toLowerCase()
  if (type === 'application/json' && (encoding ?? 'identity') === 'identity') return
  throw new DomainError(
    'unsupported_media_type',
    'Send the body as Content-Type: application/json, not encoded.',
  )
}

/**
 * Reads a body once, in full, before any handler: capped, JSON only, and only where there is one. Where there is none
 * its type says nothing; handlers see the one spelling of the type that their validators know.
 */
export const readBodyUpTo =
  (mostOf: (path: string) => number): MiddlewareHandler<Env> =>
  async (c, next) => {
    const stream = isRead(c.req.method) ? null : c.req.raw.body
    const bytes = stream === null ? new Uint8Array() : await readBytes(stream, mostOf(c.req.path))
    const isAbsent = bytes.byteLength === 0
    if (!isAbsent) assertMediaType(c.req.header('content-type'), c.req.header('content-encoding'))
    // Hono keeps what it has read as a promise, whatever the type of its cache says.
    Object.assign(c.req.bodyCache, { text: Promise.resolve(isAbsent ? '{}' : await readJson(bytes)) })
    c.req.raw.headers.set('content-type', 'application/json')
    await next()
  }

export const readBody = readBodyUpTo(() => maxBytes)
