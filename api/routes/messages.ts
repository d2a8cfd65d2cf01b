import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'

import { Message, MessageInput } from '../../domain/access-request.ts'
import { DomainError } from '../../domain/errors.ts'
import { AccessRequestId } from '../../domain/ids.ts'
import { isEligibleApprover } from '../../db/requests/approvers.ts'
import { findRequest, isParty, maySee } from '../../db/requests/find.ts'
import { addMessage, listMessages } from '../../db/requests/messages.ts'
import { noRequest } from '../request-view.ts'
import {
  body,
  created,
  json,
  listOf,
  pageOf,
  PageQuery,
  problems,
  router,
  security,
  WriteHeaders,
} from '../router.ts'
import type { Env } from '../router.ts'

const path = '/access-requests/{id}/messages'
const tags = ['Access requests']
const params = z.object({ id: AccessRequestId })

const list = createRoute({
  method: 'get',
  path,
  tags,
  security,
  summary: 'The discussion of a request, oldest first',
  request: { params, query: PageQuery },
  responses: { 200: json(listOf(Message), 'A page of messages'), ...problems(404, 422) },
})

const post = createRoute({
  method: 'post',
  path,
  tags,
  security,
  summary: 'Add a message, in any state of the request',
  request: { params, headers: WriteHeaders, body: body(MessageInput) },
  responses: { 201: created(Message, 'Added'), ...problems(403, 404, 422) },
})

async function assertVisible(c: Context<Env>, id: string): Promise<void> {
  const { sql } = c.get('deps')
  const request = await findRequest(sql, id)
  if (request === undefined || !(await maySee(sql, request, c.get('caller')))) throw noRequest()
}

/** Admins read along; those who take part write. */
async function assertTakesPart(c: Context<Env>, id: string): Promise<void> {
  const { sql } = c.get('deps')
  const caller = c.get('caller')
  if ((await isParty(sql, { id }, caller)) || (await isEligibleApprover(sql, id, caller.id))) return
  throw new DomainError('forbidden', 'Only requester, subject, owner and approvers write here.')
}

export const messages = router()
  .openapi(list, async (c) => {
    const { id } = c.req.valid('param')
    await assertVisible(c, id)
    return c.json(await listMessages(c.get('deps').sql, id, pageOf('messages', c.req.valid('query'))), 200)
  })
  .openapi(post, async (c) => {
    const { id: request_id } = c.req.valid('param')
    await assertVisible(c, request_id)
    await assertTakesPart(c, request_id)
    const id = c.get('operation_id')
    const { body } = c.req.valid('json')
    const message = await addMessage(c.get('deps').sql, { id, request_id, author: c.get('caller'), body })
    return c.json(message, 201, { location: `/api/v1/access-requests/${request_id}/messages` })
  })
