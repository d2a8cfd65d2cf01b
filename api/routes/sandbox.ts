import { createRoute } from '@hono/zod-openapi'

import { SandboxLevel } from '../../domain/sandbox-level.ts'
import { json, manages, problems, router, security } from '../router.ts'

const get = createRoute({
  method: 'get',
  path: '/sandbox',
  tags: ['Script tasks'],
  security,
  middleware: manages,
  summary: 'How strongly scripts are walled off on this machine',
  responses: { 200: json(SandboxLevel, 'The isolation level and its walls'), ...problems(403) },
})

export const sandbox = router().openapi(get, (c) => c.json(c.get('deps').sandboxLevel(), 200))
