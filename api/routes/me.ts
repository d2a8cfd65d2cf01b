import { createRoute } from '@hono/zod-openapi'

import { listHeldGroups } from '../../db/directory/memberships.ts'
import { Me } from '../../domain/directory.ts'
import { json, problems, router, security } from '../router.ts'

const get = createRoute({
  method: 'get',
  path: '/me',
  tags: ['Directory'],
  security,
  summary: 'Who calls: the groups, standing and temporary, and the permissions that the caller holds now',
  responses: { 200: json(Me, 'The caller'), ...problems() },
})

export const me = router().openapi(get, async (c) => {
  const { id, kind, email, display_name, permissions } = c.get('caller')
  const groups = await listHeldGroups(c.get('deps').sql, id)
  const { via, expires_at } = c.get('session')
  return c.json({ id, kind, email, display_name, permissions, groups, session: { via, expires_at } }, 200)
})
