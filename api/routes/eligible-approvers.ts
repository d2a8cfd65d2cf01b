import { createRoute, z } from '@hono/zod-openapi'

import { listApproversOf } from '../../db/requests/approver-groups.ts'
import { EligibleApprover } from '../../domain/directory.ts'
import { GroupId } from '../../domain/ids.ts'
import { json, listOf, may, pageOf, PageQuery, problems, router, security } from '../router.ts'

/** At most as many as a template names, each with the comma after it. */
const GroupIds = z
  .string()
  .max(3_700)
  .default('')
  .transform((text) => text.split(',').filter((id) => id !== ''))
  .pipe(z.array(GroupId))
  .describe('Ids with commas between them; none: the admins decide')

const list = createRoute({
  method: 'get',
  path: '/eligible-approvers',
  tags: ['Templates'],
  security,
  middleware: may('templates.manage'),
  summary: 'Who could approve now, if a template named these approver groups',
  description: 'The active people in them. Of a request, its own people never decide.',
  request: { query: PageQuery.extend({ group_ids: GroupIds }) },
  responses: { 200: json(listOf(EligibleApprover), 'People, oldest first'), ...problems(403, 422) },
})

export const eligibleApprovers = router().openapi(list, async (c) => {
  const query = c.req.valid('query')
  const page = pageOf('eligible-approvers', query)
  return c.json(await listApproversOf(c.get('deps').sql, query.group_ids, page), 200)
})
