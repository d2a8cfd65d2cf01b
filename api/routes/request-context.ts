import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'

import { listEarlier, listRequestRuns, mayJudge } from '../../db/requests/context.ts'
import { findRequest, maySee } from '../../db/requests/find.ts'
import type { StoredRequest } from '../../db/requests/find.ts'
import { DomainError } from '../../domain/errors.ts'
import { AccessRequestId } from '../../domain/ids.ts'
import { EarlierRequest, RequestRun } from '../../domain/request-context.ts'
import { noRequest } from '../request-view.ts'
import { json, listOf, pageOf, PageQuery, problems, router, security } from '../router.ts'
import type { Env } from '../router.ts'

const common = {
  method: 'get' as const,
  tags: ['Access requests'],
  security,
  request: { params: z.object({ id: AccessRequestId }), query: PageQuery },
}

const earlier = createRoute({
  ...common,
  path: '/access-requests/{id}/earlier',
  summary: 'What the same person asked for before, newest first',
  description: 'For who may decide the request, and who reads the audit.',
  responses: { 200: json(listOf(EarlierRequest), 'A page of requests'), ...problems(403, 404, 422) },
})

const runs = createRoute({
  ...common,
  path: '/access-requests/{id}/runs',
  summary: 'The script runs of a request, newest first',
  description: '`log` and `result` are null for who may not decide the request.',
  responses: { 200: json(listOf(RequestRun), 'A page of runs'), ...problems(404, 422) },
})

async function getVisible(c: Context<Env>, id: string): Promise<StoredRequest> {
  const { sql } = c.get('deps')
  const request = await findRequest(sql, id)
  if (request === undefined || !(await maySee(sql, request, c.get('caller')))) throw noRequest()
  return request
}

const isJudge = (c: Context<Env>, request: StoredRequest): Promise<boolean> =>
  mayJudge(c.get('deps').sql, request, c.get('caller'))

export const requestContext = router()
  .openapi(earlier, async (c) => {
    const request = await getVisible(c, c.req.valid('param').id)
    if (!(await isJudge(c, request)))
      throw new DomainError('forbidden', 'Only who may decide the request sees what was asked before.')
    const page = pageOf('earlier', c.req.valid('query'))
    return c.json(await listEarlier(c.get('deps').sql, request, page), 200)
  })
  .openapi(runs, async (c) => {
    const request = await getVisible(c, c.req.valid('param').id)
    const wanted = { request_id: request.id, with_log: await isJudge(c, request) }
    const page = pageOf('request-runs', c.req.valid('query'))
    return c.json(await listRequestRuns(c.get('deps').sql, wanted, page), 200)
  })
