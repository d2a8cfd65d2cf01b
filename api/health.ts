import type { OpenAPIHono } from '@hono/zod-openapi'

import type { Env } from './router.ts'

/** `/livez`: the process answers. `/readyz`: every part does, or which does not; `/readyz?verbose` says more of each. */
export function health(app: OpenAPIHono<Env>): void {
  app.get('/livez', (c) => c.json({ status: 'ok' }))
  app.get('/readyz', async (c) => {
    const health = await c.get('deps').health()
    const isVerbose = c.req.query('verbose') !== undefined
    const parts = health.map(({ facts, ...part }) => (isVerbose ? { ...part, ...facts } : part))
    const isReady = health.every(({ ok }) => ok)
    return c.json({ status: isReady ? 'ok' : 'not_ready', parts }, isReady ? 200 : 503)
  })
}
