import http from 'node:http'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { webBundle } from '../../bin/web-bundle.ts'
import { startTestProduct } from '../setup/product.ts'
import type { TestProduct } from '../setup/product.ts'
import { dataFolder } from '../setup/run-folder.ts'

let it: TestProduct

beforeAll(async () => {
  it = await startTestProduct({ pages_folder: await webBundle(dataFolder) })
})
afterAll(() => it.close())

type Answer = { status: number; headers: http.IncomingHttpHeaders; body: Buffer }

/** As it is sent: fetch would mend the path, and unpack what is packed. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const { hostname, port } = new URL(it.url)
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, path, headers, method }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
        }),
      )
    })
    request.on('error', reject).end()
  })
}

const navigation = { accept: 'text/html,application/xhtml+xml' }
const open = (path: string) => get(path, navigation)

async function entry(): Promise<string> {
  const { body } = await open('/')
  return /src="(\/assets\/[^"]+\.js)"/.exec(body.toString())?.[1] ?? ''
}

describe('the policy of the pages', () => {
  test('lets scripts come from here alone, styles from here or with the nonce of this very answer', async () => {
    const [first, second] = await Promise.all([open('/'), open('/')])
    const policy = String(first.headers['content-security-policy'])
    const directives = new Map(
      policy.split('; ').map((text) => [text.split(' ')[0], text.split(' ').slice(1).join(' ')]),
    )
    expect(directives.get('default-src')).toBe(`'none'`)
    expect(directives.get('script-src')).toBe(`'self'`)
    expect(directives.get('connect-src')).toBe(`'self'`)
    expect(directives.get('frame-ancestors')).toBe(`'none'`)
    expect(directives.get('base-uri')).toBe(`'none'`)
    expect(policy).not.toContain('unsafe')
    const nonce = /'nonce-([^']+)'/.exec(directives.get('style-src') ?? '')?.[1] ?? ''
    expect(first.body.toString()).toContain(`nonce="${nonce}"`)
    expect(second.body.toString()).not.toContain(nonce)
    expect(first.body.toString()).not.toContain('__CSP_NONCE__')
  })

  test('is kept by the page itself: no script and no style in it, nothing from elsewhere', async () => {
    const html = (await open('/')).body.toString()
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/)
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=/)
    expect(html).not.toMatch(/(src|href)="(https?:)?\/\//)
  })
})

describe('what is kept by browsers', () => {
  test('are files whose name is their content, for good; the page itself is not kept at all', async () => {
    expect((await get(await entry())).headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect((await open('/')).headers['cache-control']).toBe('no-store')
    expect((await get('/icon.svg')).headers['cache-control']).toBe('no-cache')
  })

  test.each([
    ['br, gzip', 'br'],
    ['gzip, deflate', 'gzip'],
    ['br;q=0, gzip;q=0.5', 'gzip'],
    ['identity', undefined],
    ['br;q=0', undefined],
  ])('comes packed as the browser takes it: %s', async (accepted, encoding) => {
    const { headers } = await get(await entry(), { 'accept-encoding': accepted })
    expect(headers['content-encoding']).toBe(encoding)
    expect(headers.vary).toBe('accept-encoding')
  })
})

describe('an address', () => {
  test.each(['/', '/my-requests', '/requests/018f2d3c-0000-7000-8000-000000000001', '/sign-in?error=x'])(
    '%s that a person opens is the page',
    async (path) => {
      const { status, headers } = await open(path)
      expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=UTF-8'])
    },
  )

  test.each([
    '/api/v1/nothing',
    '/api/nothing',
    '/auth/nothing',
    '/oauth/nothing',
    '/scim/nothing',
    '/.well-known/nothing',
    '/metrics/nothing',
  ])('%s is never the page, whoever asks', async (path) => {
    const { status, headers } = await open(path)
    expect([401, 404]).toContain(status)
    expect(headers['content-type']).not.toContain('text/html')
  })

  test('that is no file is the page for a person alone: a missing script is not answered with a document', async () => {
    const { status, headers } = await get('/assets/gone.js', { accept: '*/*' })
    expect([status, headers['content-type']]).toEqual([404, 'application/problem+json'])
    expect((await get('/my-requests', { accept: '*/*' }, 'POST')).status).toBe(404)
  })

  test.each([
    '/.vite/manifest.json',
    '/../package.json',
    '/..%2f..%2f..%2fpackage.json',
    '/assets/../../../package.json',
    '/assets/%2e%2e/%2e%2e/%2e%2e/package.json',
    '/icon.svg%00.js',
    '/icon.svg.br',
  ])('%s gives nothing that is not served', async (path) => {
    expect((await get(path, { accept: '*/*' })).status).toBe(404)
  })
})
