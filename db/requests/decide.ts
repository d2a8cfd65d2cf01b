import { DomainError } from '../../domain/errors.ts'
import { mayHappen } from '../../domain/lifecycle.ts'
import { transaction } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import type { Caller } from '../directory/caller.ts'
import { mayManage } from '../directory/caller.ts'
import { lockRequest } from '../transition.ts'
import type { LockedRequest } from '../transition.ts'
import { isEligibleApprover } from './approvers.ts'
import { countWaiting, findBlockingApproval, findCommand, queueCommand } from './commands.ts'
import { isOwn, isParty, maySee } from './find.ts'

/** `id` names the command: the same id twice is the same command. */
export type Decision = { id: string; request_id: string; caller: Caller; comment: string | null }

/** So many commands of one person may wait on one request. */
const mostWaiting = 20

/** `is_blocking`: the answer waits for a block script. */
export type Queued = { command_id: string; is_blocking: boolean }

async function getVisible(tx: Tx, { request_id, caller }: Decision): Promise<LockedRequest> {
  const request = await lockRequest(tx, request_id)
  if (request && (await maySee(tx, request, caller))) return request
  throw new DomainError('not_found', 'There is no such request.')
}

async function assertMayDecide(tx: Tx, request: LockedRequest, { caller }: Decision): Promise<void> {
  if (await isOwn(tx, request, caller)) {
    throw new DomainError(
      'self_approval_forbidden',
      'Nobody decides a request of their own, nor of a machine that they own, speak for or made a credential of, ' +
        'nor where one has registered the other or set their address.',
    )
  }
  if (!(await isEligibleApprover(tx, request.id, caller.id))) {
    throw new DomainError('not_an_approver', 'You are not an approver of this request.')
  }
  if (!mayHappen('approved', request.status)) {
    throw new DomainError('request_not_pending', `The request is ${request.status}.`, {
      request_status: request.status,
    })
  }
}

async function assertNoRunInFlight(tx: Tx, request: LockedRequest): Promise<void> {
  const approval = await findBlockingApproval(tx, request.id)
  if (approval === undefined) return
  throw new DomainError(
    'decision_in_progress',
    'An approval is waiting for its trigger task; deny and cancel are possible.',
    {
      ...(approval.run_id !== null && { run_id: approval.run_id }),
    },
  )
}

/** While the engine is away wishes add up; nobody fills the queue of a request for everybody else. */
async function assertRoom(tx: Tx, { request_id, caller }: Decision): Promise<void> {
  if ((await countWaiting(tx, request_id, caller.id)) < mostWaiting) return
  throw new DomainError('rate_limited', 'You have asked for this often enough: it will be carried out.')
}

/**
 * Checks that the caller may decide now and writes the decision down as a command, in one transaction that holds the
 * request. It has happened only when the command is applied.
 * @throws DomainError in the order in which the rules are checked here
 */
export function queueDecision(sql: Sql, kind: 'approve' | 'deny', decision: Decision): Promise<Queued> {
  const { id, request_id, caller, comment } = decision
  return transaction(sql, async (tx) => {
    const request = await getVisible(tx, decision)
    const is_blocking = kind === 'approve' && request.trigger_task_failure_mode === 'block'
    if (await isKnown(tx, id)) return { command_id: id, is_blocking }
    await assertMayDecide(tx, request, decision)
    if (is_blocking) await assertNoRunInFlight(tx, request)
    await assertRoom(tx, decision)
    await queueCommand(tx, { id, kind, request_id, actor: caller, comment, is_blocking })
    return { command_id: id, is_blocking }
  })
}

const isKnown = async (tx: Tx, id: string): Promise<boolean> => (await findCommand(tx, id)) !== undefined

type RevocableRequest = Pick<LockedRequest, 'id' | 'status' | 'requester_id' | 'subject_id'>

/** Pending: requester, subject's owner, admin. Approved: those, the subject, and whoever could decide it now. */
export async function mayRevoke(db: Db, request: RevocableRequest, caller: Caller): Promise<boolean> {
  if (mayManage(caller)) return true
  const isSubject = request.subject_id === caller.id && request.requester_id !== caller.id
  const isEntitled = (await isParty(db, request, caller)) && !(isSubject && request.status === 'pending')
  if (isEntitled) return true
  return request.status !== 'pending' && isEligibleApprover(db, request.id, caller.id)
}

async function assertMayRevoke(tx: Tx, request: LockedRequest, { caller }: Decision): Promise<void> {
  if (await mayRevoke(tx, request, caller)) return
  throw new DomainError('forbidden', 'You may not cancel or revoke this request.')
}

/** As `queueDecision`, for cancelling a pending request or revoking an approved one. */
export function queueRevocation(sql: Sql, revocation: Decision): Promise<Queued> {
  const { id, request_id, caller, comment } = revocation
  return transaction(sql, async (tx) => {
    const request = await getVisible(tx, revocation)
    if (await isKnown(tx, id)) return { command_id: id, is_blocking: false }
    await assertMayRevoke(tx, request, revocation)
    if (!mayHappen('revoked', request.status)) {
      throw new DomainError('request_not_active', `The request is ${request.status}.`, {
        request_status: request.status,
      })
    }
    await queueCommand(tx, { id, kind: 'revoke', request_id, actor: caller, comment })
    return { command_id: id, is_blocking: false }
  })
}
