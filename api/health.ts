import type { OpenAPIHono } from '@hono/zod-openapi'

import type { Env } from './router.ts'

/** `/livez`: the process answers. `/readyz`: every part does, or which does not. */
export function health(app: OpenAPIHono<Env>): void {
  app.get('/livez', (c) => c.json({ status: 'ok' }))
  app.get('/readyz', async (c) => {
    const parts = await c.get('deps').health()
    const isReady = parts.every(({ ok }) => ok)
    return c.json({ status: isReady ? 'ok' : 'not_ready', parts }, isReady ? 200 : 503)
  })
}
