import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'

import { AccessRequest, Command, DecisionInput } from '../../domain/access-request.ts'
import { DomainError } from '../../domain/errors.ts'
import { AccessRequestId, CommandId } from '../../domain/ids.ts'
import { applyCommand, assertApplied } from '../../db/requests/apply.ts'
import { findCommand, releaseCommand, viewCommand } from '../../db/requests/commands.ts'
import { queueDecision, queueRevocation } from '../../db/requests/decide.ts'
import type { Decision, Queued } from '../../db/requests/decide.ts'
import { mayManage } from '../../db/directory/caller.ts'
import { sendRequest } from '../request-view.ts'
import { json, optionalBody, problems, router, security, WriteHeaders } from '../router.ts'
import type { Env } from '../router.ts'

const tags = ['Access requests']
const params = z.object({ id: AccessRequestId })

/** How long the engine may take to answer; a block script has 30 s of it. */
const patienceMs = { plain: 5_000, blocking: 33_000 }

const responses = {
  200: json(AccessRequest, 'Carried out'),
  202: {
    ...json(Command, 'Accepted; it will be carried out once the engine answers'),
    headers: z.object({ location: z.string() }),
  },
  ...problems(403, 404, 409, 422),
}

const route = (verb: 'approve' | 'deny' | 'revoke', summary: string) =>
  createRoute({
    method: 'post',
    path: `/access-requests/{id}/${verb}`,
    tags,
    security,
    summary,
    request: { params, headers: WriteHeaders, body: optionalBody(DecisionInput) },
    responses,
  })

const approve = route('approve', 'Approve a pending request')
const deny = route('deny', 'Deny a pending request')
const revoke = route('revoke', 'Cancel a pending request, or revoke an approved one')

const getCommand = createRoute({
  method: 'get',
  path: '/access-requests/{id}/commands/{command_id}',
  tags,
  security,
  summary: 'What became of a command that was answered 202',
  request: { params: params.extend({ command_id: CommandId }) },
  responses: { 200: json(Command, 'The command'), ...problems(404) },
})

const noCommand = () => new DomainError('not_found', 'There is no such command.')

async function sendAccepted(c: Context<Env>, command_id: string) {
  const { sql } = c.get('deps')
  const command = await findCommand(sql, command_id)
  if (command === undefined) throw noCommand()
  const location = `/api/v1/access-requests/${command.request_id}/commands/${command_id}`
  return c.json(viewCommand(command), 202, { location })
}

/** What happened is read from the database, whatever the engine answered or did not. */
async function sendOutcome(c: Context<Env>, { command_id }: Queued) {
  const { sql } = c.get('deps')
  const command = await findCommand(sql, command_id)
  if (command === undefined) throw noCommand()
  if (command.state === 'queued') {
    await releaseCommand(sql, command_id)
    return sendAccepted(c, command_id)
  }
  assertApplied(command)
  return sendRequest(c, command.request_id)
}

async function decide(c: Context<Env>, queued: Queued) {
  const { engine } = c.get('deps')
  await engine.send(queued.command_id, queued.is_blocking ? patienceMs.blocking : patienceMs.plain)
  return sendOutcome(c, queued)
}

/** Without the engine a revocation is carried out here, and the workflow learns of it when it is back. */
async function carryOutRevocation(c: Context<Env>, request_id: string, { command_id }: Queued) {
  const { engine, sql } = c.get('deps')
  if (await engine.send(command_id, patienceMs.plain))
    return sendOutcome(c, { command_id, is_blocking: false })
  await applyCommand(sql, { command_id, request_id })
  return sendAccepted(c, command_id)
}

const decisionOf = (
  c: Context<Env>,
  request_id: string,
  { comment }: { comment?: string | undefined },
): Decision => ({
  id: c.get('operation_id'),
  request_id,
  caller: c.get('caller'),
  comment: comment ?? null,
})

export const decisions = router()
  .openapi(approve, async (c) => {
    const decision = decisionOf(c, c.req.valid('param').id, c.req.valid('json'))
    return decide(c, await queueDecision(c.get('deps').sql, 'approve', decision))
  })
  .openapi(deny, async (c) => {
    const decision = decisionOf(c, c.req.valid('param').id, c.req.valid('json'))
    return decide(c, await queueDecision(c.get('deps').sql, 'deny', decision))
  })
  .openapi(revoke, async (c) => {
    const revocation = decisionOf(c, c.req.valid('param').id, c.req.valid('json'))
    return carryOutRevocation(c, revocation.request_id, await queueRevocation(c.get('deps').sql, revocation))
  })
  .openapi(getCommand, async (c) => {
    const { id, command_id } = c.req.valid('param')
    const command = await findCommand(c.get('deps').sql, command_id)
    const caller = c.get('caller')
    const isSender = command?.actor_id === caller.id || mayManage(caller)
    if (command?.request_id !== id || !isSender) throw noCommand()
    return c.json(viewCommand(command), 200)
  })
