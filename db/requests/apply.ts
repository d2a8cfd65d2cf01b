import { DomainError } from '../../domain/errors.ts'
import { mayHappen } from '../../domain/lifecycle.ts'
import type { LifecycleEvent } from '../../domain/lifecycle.ts'
import { appendAudit } from '../audit.ts'
import { findRow, getRow, transaction } from '../client.ts'
import type { Sql, Tx } from '../client.ts'
import { lockRequest, transition } from '../transition.ts'
import type { Change, LockedRequest } from '../transition.ts'
import { isEligibleApprover } from './approvers.ts'
import { endOrphan } from './orphans.ts'
import { asError, findCommand, settleCommand } from './commands.ts'
import type { CommandRow, Refusal } from './commands.ts'
import { noteIfNobodyMayDecide, notifyApprovers } from './notify.ts'

/** `verb`: what the message said; a command of another kind is not meant by it. */
export type CommandKey = { command_id: string; request_id: string; verb?: 'approve' | 'deny' | 'revoke' }
export type Applied = { command_id: string; state: 'applied' | 'rejected'; status: string }

const refuse = (code: Refusal['code'], message: string, extensions: Refusal['extensions'] = {}): Refusal => ({
  code,
  message,
  extensions,
})

function refuseStatus(request: LockedRequest, event: LifecycleEvent): Refusal | undefined {
  if (mayHappen(event, request.status)) return undefined
  const code = event === 'revoked' ? 'request_not_active' : 'request_not_pending'
  return refuse(code, `The request is ${request.status}.`, { request_status: request.status })
}

async function refuseApprover(
  tx: Tx,
  request: LockedRequest,
  { actor_id }: CommandRow,
): Promise<Refusal | undefined> {
  if (actor_id !== null && (await isEligibleApprover(tx, request.id, actor_id))) return undefined
  return refuse('not_an_approver', 'You are no longer an approver of this request.')
}

type Run = { status: string; ended_by: string | null; error: { message: string } | null }

/** A block script lets an approval pass only by a run that the database says succeeded. */
async function refuseRun(
  tx: Tx,
  request: LockedRequest,
  { run_id }: CommandRow,
): Promise<Refusal | undefined> {
  if (request.trigger_task_failure_mode !== 'block') return undefined
  const run = await findRow<Run>(tx`
    select status, ended_by, error from script_runs
    where id = ${run_id} and request_id = ${request.id} and trigger = 'approved'`)
  if (run?.status === 'succeeded') return undefined
  const run_message = run?.error?.message ?? 'the script did not run'
  return refuse('trigger_task_blocked', `The trigger task did not let the approval pass: ${run_message}`, {
    ...(run_id !== null && { run_id }),
    run_message,
  })
}

async function hasLapsed(tx: Tx, { id }: CommandRow): Promise<boolean> {
  const row = await getRow<{ lapsed: boolean }>(
    tx`select coalesce(not_after < clock_timestamp(), false) as lapsed from commands where id = ${id}`,
  )
  return row.lapsed
}

/** Whoever carries out an approval has seen its run end: one that still stands as running has lost its process. */
async function closeLostRun(tx: Tx, { run_id }: CommandRow): Promise<void> {
  await tx`update script_runs set status = 'failed', ended_by = 'crashed',
    error = '{"message": "the run was lost before it could end", "line": null, "column": null}'
    where id = ${run_id} and status = 'running'`
}

async function refuseApproval(
  tx: Tx,
  request: LockedRequest,
  command: CommandRow,
): Promise<Refusal | undefined> {
  await closeLostRun(tx, command)
  const wrongStatus = refuseStatus(request, 'approved')
  if (wrongStatus) return wrongStatus
  if (await hasLapsed(tx, command)) {
    return refuse('unavailable', 'The approval could not be carried out within 10 minutes and has lapsed.')
  }
  const notApprover = command.kind === 'auto_approve' ? undefined : await refuseApprover(tx, request, command)
  return notApprover ?? refuseRun(tx, request, command)
}

const isApproval = ({ kind }: CommandRow): boolean => kind === 'approve' || kind === 'auto_approve'

const events = { auto_approve: 'approved', approve: 'approved', deny: 'denied', revoke: 'revoked' } as const

async function findRefusal(
  tx: Tx,
  request: LockedRequest,
  command: CommandRow,
): Promise<Refusal | undefined> {
  if (isApproval(command)) return refuseApproval(tx, request, command)
  if (command.kind === 'deny') {
    return refuseStatus(request, 'denied') ?? refuseApprover(tx, request, command)
  }
  return refuseStatus(request, 'revoked')
}

function changeOf(command: CommandRow & { kind: keyof typeof events }): Change {
  const actor = { id: command.actor_id, email: command.actor_email }
  const source = command.kind === 'auto_approve' ? 'auto' : 'approver'
  return { event: events[command.kind], actor, source, comment: command.comment }
}

const notedRefusals: Partial<Record<Refusal['code'], string>> = {
  unavailable: 'access_request.approval_lapsed',
  trigger_task_blocked: 'access_request.approval_blocked',
}

/** What people see of an approval that did not come about; a refused auto-approval is then put to approvers. */
async function noteRefusal(
  tx: Tx,
  request: LockedRequest,
  command: CommandRow,
  refusal: Refusal,
): Promise<void> {
  const kind = notedRefusals[refusal.code]
  if (kind === undefined) return
  await appendAudit(tx, {
    kind,
    actor: { id: command.actor_id, email: command.actor_email },
    request_id: request.id,
    detail: {
      command_id: command.id,
      run_id: command.run_id,
      reason: refusal.extensions.run_message ?? refusal.message,
    },
  })
  if (command.kind !== 'auto_approve') return
  const notified = await notifyApprovers(tx, request.id)
  await appendAudit(tx, {
    kind: 'access_request.approvers_notified',
    actor: { id: null, email: null },
    request_id: request.id,
    detail: { notified_approvers: notified },
  })
  await noteIfNobodyMayDecide(tx, request.id)
}

async function settle(tx: Tx, locked: LockedRequest, command: CommandRow): Promise<void> {
  const request = isApproval(command) ? await endOrphan(tx, locked) : locked
  if (command.kind === 'start') return settleCommand(tx, command.id, { status: request.status })
  const refusal = await findRefusal(tx, request, command)
  if (refusal === undefined) {
    await transition(tx, request, changeOf({ ...command, kind: command.kind }))
    return settleCommand(tx, command.id, { status: await statusOf(tx, request.id) })
  }
  await noteRefusal(tx, request, command, refusal)
  return settleCommand(tx, command.id, refusal)
}

async function statusOf(tx: Tx, id: string): Promise<string> {
  return (await getRow<{ status: string }>(tx`select status from access_requests where id = ${id}`)).status
}

/**
 * Carries out a queued command, once: whoever may no longer decide, a state that has moved on, a lapsed approval and a
 * block script that did not succeed are refused here, under the request's lock. Safe to call again.
 * @throws DomainError `not_found` for a command that was never written down for this request
 */
export function applyCommand(sql: Sql, { command_id, request_id, verb }: CommandKey): Promise<Applied> {
  return transaction(sql, async (tx) => {
    const known = await findCommand(tx, command_id)
    const isMeant = known?.request_id === request_id && (verb === undefined || known.kind.endsWith(verb))
    const request = isMeant ? await lockRequest(tx, request_id) : undefined
    const command = request && (await findCommand(tx, command_id))
    if (!command) throw new DomainError('not_found', 'There is no such command.')
    if (command.state === 'queued') await settle(tx, request, command)
    const settled = await getRow<{ state: Applied['state'] }>(
      tx`select state from commands where id = ${command_id}`,
    )
    return { command_id, state: settled.state, status: await statusOf(tx, request.id) }
  })
}

/** The outcome of a settled command as its sender gets it. @throws DomainError its refusal */
export function assertApplied(command: CommandRow): void {
  if (command.problem) throw asError(command.problem)
}
