import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'

import type { OpenAPIHono } from '@hono/zod-openapi'

import type { Deps } from './deps.ts'
import { isRead } from './router.ts'
import type { Env } from './router.ts'

/** The dist folder of swagger-ui: its own entry point wants a browser, so its manifest shows the way. */
const assets = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))

const files: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
}

const boot = `SwaggerUIBundle({ url: '/api/v1/openapi.json', dom_id: '#docs', deepLinking: true, tryItOutEnabled: true, validatorUrl: null })`

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hallpass API</title>
<link rel="icon" href="/api/docs/favicon-32x32.png">
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<div id="docs"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/boot.js"></script>
</html>
`

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

type Document = ReturnType<OpenAPIHono<Env>['getOpenAPI31Document']>

/** What every write can answer: its body is read, and its Idempotency-Key looked up, before its handler. */
const refusalsOfWrites = Object.fromEntries(
  [400, 409, 413, 415, 422, 429].map((status) => [
    status,
    {
      description: 'Refused',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  ]),
)

/** `GET /groups/{id}/members` is `get_groups_id_members`. */
const nameOf = (method: string, path: string): string =>
  `${method}${path.replaceAll(/[^a-z]+/g, '_').replace(/_$/, '')}`

/** Adds what follows from an operation's method and path alone. */
function complete(document: Document): Document {
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const) {
      const operation = item[method]
      if (operation === undefined) continue
      operation.operationId = nameOf(method, path)
      if (!isRead(method.toUpperCase())) operation.responses = { ...refusalsOfWrites, ...operation.responses }
    }
  }
  return document
}

/** The OpenAPI document, made of the schemas that validate. */
export function docs(api: OpenAPIHono<Env>, { signer }: Deps): void {
  api.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT (at+jwt)',
  })
  api.get('/openapi.json', (c) =>
    c.json(
      complete(
        api.getOpenAPI31Document({
          openapi: '3.1.0',
          info: {
            title: 'Hallpass',
            version: '0.1.0',
            description:
              'Temporary access: asked for, decided, granted, ended and proven.\n\nMachines get their tokens by OAuth 2.0: ' +
              'POST /oauth/token, /oauth/introspect and /oauth/revoke, as /.well-known/oauth-authorization-server tells.',
            license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
          },
          servers: [{ url: `${signer.issuer}/api/v1` }],
        }),
      ),
    ),
  )
}

/** The page that renders the document, from this machine alone. */
export function docsPage(app: OpenAPIHono<Env>): void {
  app.get('/api/docs', (c) => c.html(page, 200, { 'content-security-policy': policy }))
  app.get('/api/docs/boot.js', (c) => c.body(boot, 200, { 'content-type': 'text/javascript; charset=utf-8' }))
  app.get('/api/docs/:file', async (c) => {
    const name = c.req.param('file')
    const type = Object.hasOwn(files, name) ? files[name] : undefined
    if (type === undefined) return c.notFound()
    const content = await readFile(path.join(assets, name))
    return c.body(new Uint8Array(content), 200, { 'content-type': type, 'cache-control': 'max-age=3600' })
  })
}
