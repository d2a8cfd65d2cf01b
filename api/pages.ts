import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'

import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'

import type { Env } from './router.ts'

const types: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.ts': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
}

/** Where something else answers: nothing below these is a page. */
const notPages = /^\/(api|auth|oauth|scim|\.well-known|livez|readyz|metrics)(\/|$)/

/** Scripts and styles of our own only; the styles that components write need the nonce of their page. */
const policy = (nonce: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')

const isNavigation = (c: Context): boolean =>
  c.req.path === '/' ||
  c.req.header('sec-fetch-mode') === 'navigate' ||
  (c.req.header('accept') ?? '').includes('text/html')

/** Of what is packed beside the file, the smallest that the browser takes (RFC 9110, 12.5.3). */
function encodingFor(c: Context): { encoding: 'br' | 'gzip'; suffix: string } | undefined {
  const offers = (c.req.header('accept-encoding') ?? '').split(',').map((offer) => offer.trim().toLowerCase())
  if (offers.some((offer) => /^br(;q=(?!0(\.0*)?$).*)?$/.test(offer)))
    return { encoding: 'br', suffix: '.br' }
  if (offers.some((offer) => /^gzip(;q=(?!0(\.0*)?$).*)?$/.test(offer)))
    return { encoding: 'gzip', suffix: '.gz' }
  return undefined
}

function filesIn(folder: string): Set<string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return new Set(files.map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name))))
}

/** Names in `assets/` carry the hash of their content; every other file may change with the next start. */
const cachingOf = (file: string): string =>
  file.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'

/**
 * The built pages of `folder`: its files as they are, and for every other address that a person opens the one page that
 * finds its way from there.
 */
export function pages(app: OpenAPIHono<Env>, folder: string): void {
  const files = filesIn(folder)
  const index = readFileSync(path.join(folder, 'index.html'), 'utf8')
  const isPublic = (file: string): boolean =>
    files.has(file) && Object.hasOwn(types, path.extname(file)) && !file.startsWith('.')

  async function sendFile(c: Context, file: string): Promise<Response> {
    const packed = encodingFor(c)
    const isPacked = packed !== undefined && files.has(`${file}${packed.suffix}`)
    const content = await readFile(path.join(folder, isPacked ? `${file}${packed.suffix}` : file))
    return c.body(new Uint8Array(content), 200, {
      'content-type': types[path.extname(file)] ?? 'application/octet-stream',
      'cache-control': cachingOf(file),
      vary: 'accept-encoding',
      ...(isPacked && { 'content-encoding': packed.encoding }),
    })
  }

  function sendIndex(c: Context): Response {
    const nonce = randomBytes(16).toString('base64')
    return c.html(index.replaceAll('__CSP_NONCE__', nonce), 200, {
      // Browsers keep a page that may be stored whole, with all that it shows, for whoever goes back to it.
      'cache-control': 'no-store',
      'content-security-policy': policy(nonce),
      'cross-origin-opener-policy': 'same-origin',
      'referrer-policy': 'same-origin',
      'x-frame-options': 'DENY',
    })
  }

  app.get('*', (c) => {
    const file = c.req.path.slice(1)
    if (notPages.test(c.req.path)) return c.notFound()
    if (isPublic(file)) return sendFile(c, file)
    return isNavigation(c) ? sendIndex(c) : c.notFound()
  })
}
