import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'

import { AccessRequest, AccessRequestDetail, SubmissionInput } from '../../domain/access-request.ts'
import { End } from '../../domain/directory.ts'
import { AccessRequestId, TemplateId } from '../../domain/ids.ts'
import { statuses } from '../../domain/lifecycle.ts'
import { Text } from '../../domain/text.ts'
import { findCommand, releaseCommand } from '../../db/requests/commands.ts'
import { findActions, findBlockRun, getTerms } from '../../db/requests/context.ts'
import { findRequest, listAll, listAwaiting, listMine, listTimeline, maySee } from '../../db/requests/find.ts'
import { submitRequest } from '../../db/requests/submit.ts'
import type { Submitted } from '../../db/requests/submit.ts'
import { noRequest, viewPage, viewRequest } from '../request-view.ts'
import {
  body,
  created,
  json,
  listOf,
  may,
  pageOf,
  PageQuery,
  problems,
  router,
  security,
  WriteHeaders,
} from '../router.ts'
import type { Env } from '../router.ts'

const path = '/access-requests'
const tags = ['Access requests']
const responses = { 200: json(listOf(AccessRequest), 'A page of requests'), ...problems(422) }

const mine = createRoute({
  method: 'get',
  path,
  tags,
  security,
  summary: 'My requests, newest first',
  description: 'Those that I submitted, and those that are for me.',
  request: { query: PageQuery.extend({ status: z.enum(statuses).optional() }) },
  responses,
})

const awaiting = createRoute({
  method: 'get',
  path: `${path}/pending`,
  tags,
  security,
  summary: 'Requests that wait for my decision, oldest first',
  request: { query: PageQuery },
  responses,
})

const all = createRoute({
  method: 'get',
  path: `${path}/all`,
  tags,
  security,
  summary: 'All requests, newest first',
  middleware: may('audit.read'),
  request: {
    query: PageQuery.extend({
      status: z.enum(statuses).optional(),
      template_id: TemplateId.optional(),
      requester: Text(254).optional().describe('Part of the e-mail, in any case'),
      held_from: End.optional().describe('Only access that was held then or later'),
      held_until: End.optional().describe('Only access that was held before then'),
    }),
  },
  responses: { ...responses, ...problems(403, 422) },
})

const submit = createRoute({
  method: 'post',
  path,
  tags,
  security,
  summary: 'Submit a request',
  request: { headers: WriteHeaders, body: body(SubmissionInput) },
  responses: {
    201: created(
      AccessRequest,
      'Submitted; with an auto-approving template in the state that it has reached',
    ),
    202: created(AccessRequest, 'Accepted; its workflow starts once the engine answers'),
    ...problems(403, 404, 409, 422),
  },
})

const get = createRoute({
  method: 'get',
  path: `${path}/{id}`,
  tags,
  security,
  summary: 'Get a request with its timeline',
  request: { params: z.object({ id: AccessRequestId }) },
  responses: { 200: json(AccessRequestDetail, 'The request'), ...problems(404) },
})

const patienceMs = 5_000

/** With a block script the answer does not wait for the automatic approval. */
async function start(c: Context<Env>, { command_id }: Submitted): Promise<boolean> {
  const { engine, sql } = c.get('deps')
  const isStarted = await engine.send(command_id, patienceMs)
  const command = await findCommand(sql, command_id)
  if (!isStarted && command?.state === 'queued') await releaseCommand(sql, command_id)
  return isStarted || command?.state !== 'queued'
}

export const accessRequests = router()
  .openapi(mine, async (c) => {
    const query = c.req.valid('query')
    const wanted = { ...pageOf('access-requests', query), status: query.status }
    const page = await listMine(c.get('deps').sql, c.get('caller'), wanted)
    return c.json(viewPage(c.get('deps'), page), 200)
  })
  .openapi(awaiting, async (c) => {
    const page = await listAwaiting(
      c.get('deps').sql,
      c.get('caller'),
      pageOf('pending', c.req.valid('query')),
    )
    return c.json(viewPage(c.get('deps'), page), 200)
  })
  .openapi(all, async (c) => {
    const query = c.req.valid('query')
    return c.json(viewPage(c.get('deps'), await listAll(c.get('deps').sql, query, pageOf('all', query))), 200)
  })
  .openapi(submit, async (c) => {
    const deps = c.get('deps')
    const { max_duration_mins, sql } = deps
    const submission = {
      id: c.get('operation_id'),
      input: c.req.valid('json'),
      caller: c.get('caller'),
      max_duration_mins,
    }
    const submitted = await submitRequest(sql, submission)
    const isStarted = await start(c, submitted)
    const request = await findRequest(sql, submitted.request_id)
    if (request === undefined) throw noRequest()
    const location = `/api/v1${path}/${request.id}`
    return c.json(viewRequest(deps, request), isStarted ? 201 : 202, { location })
  })
  .openapi(get, async (c) => {
    const deps = c.get('deps')
    const request = await findRequest(deps.sql, c.req.valid('param').id)
    if (request === undefined || !(await maySee(deps.sql, request, c.get('caller')))) throw noRequest()
    const detail = {
      timeline: await listTimeline(deps.sql, request.id),
      ...(await getTerms(deps.sql, request.id)),
      actions: await findActions(deps.sql, request, c.get('caller')),
      block_run: (await findBlockRun(deps.sql, request.id)) ?? null,
    }
    return c.json({ ...viewRequest(deps, request), ...detail }, 200)
  })
