import type { MiddlewareHandler } from 'hono'

import { DomainError } from '../domain/errors.ts'
import { isRead } from './router.ts'
import type { Env } from './router.ts'

const maxBytes = 1_048_576

const tooLarge = () => new DomainError('body_too_large', `A body may have at most ${maxBytes} bytes.`)

/** Counts what arrives rather than trusting Content-Length. */
async function readBytes(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.byteLength
    if (size > maxBytes) throw tooLarge()
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

function assertMediaType(header: string | undefined, encoding: string | undefined): void {
  const type = header?.split(';')[0]?.trim().toLowerCase()
  if (type === 'application/json' && (encoding ?? 'identity') === 'identity') return
  throw new DomainError(
    'unsupported_media_type',
    'Send the body as Content-Type: application/json, not encoded.',
  )
}

/** Reads a body once, in full, before any handler: capped, JSON only, and only where there is one. */
export const readBody: MiddlewareHandler<Env> = async (c, next) => {
  const stream = isRead(c.req.method) ? null : c.req.raw.body
  const type = c.req.header('content-type')
  const bytes = stream === null ? new Uint8Array() : await readBytes(stream)
  if (bytes.byteLength > 0) assertMediaType(type, c.req.header('content-encoding'))
  const absent = type === undefined ? '' : '{}'
  // Hono keeps what it has read as a promise, whatever the type of its cache says.
  Object.assign(c.req.bodyCache, { text: Promise.resolve(bytes.byteLength > 0 ? decode(bytes) : absent) })
  await next()
}
