import { createRoute, z } from '@hono/zod-openapi'

import { listDeliveries } from '../../db/scripts/delivery-list.ts'
import { findTask } from '../../db/scripts/tasks.ts'
import { ShownDelivery } from '../../domain/delivery.ts'
import { DomainError } from '../../domain/errors.ts'
import { ScriptTaskId } from '../../domain/ids.ts'
import { json, listOf, may, pageOf, PageQuery, problems, router, security } from '../router.ts'

const list = createRoute({
  method: 'get',
  path: '/scheduled-tasks/{id}/deliveries',
  tags: ['Script tasks'],
  security,
  middleware: may('scripts.manage'),
  summary: 'The events that a script task is told of, newest first',
  description:
    'One delivery for each integration event that the task was bound to when it happened. `attempts` counts the runs; `skipped`: the task was disabled or unbound before its turn came.',
  request: { params: z.object({ id: ScriptTaskId }), query: PageQuery },
  responses: { 200: json(listOf(ShownDelivery), 'A page of deliveries'), ...problems(403, 404, 422) },
})

export const scriptDeliveries = router().openapi(list, async (c) => {
  const { sql } = c.get('deps')
  const { id } = c.req.valid('param')
  const page = pageOf('deliveries', c.req.valid('query'))
  if ((await findTask(sql, id)) === undefined)
    throw new DomainError('not_found', 'There is no such script task.')
  return c.json(await listDeliveries(sql, id, page), 200)
})
