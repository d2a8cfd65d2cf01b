import { randomUUIDv7 } from 'node:crypto'

import type { Command } from '../../domain/access-request.ts'
import { DomainError } from '../../domain/errors.ts'
import type { ErrorCode, ProblemExtensions } from '../../domain/errors.ts'
import type { Actor, Json } from '../audit.ts'
import { findRow, getRow, rows } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'

export type CommandKind = 'start' | 'auto_approve' | 'approve' | 'deny' | 'revoke'

/** Why a command was not carried out, as it is kept and later told to its sender. */
export type Refusal = { code: ErrorCode; message: string; extensions: ProblemExtensions }

export type CommandRow = {
  id: string
  request_id: string
  kind: CommandKind
  actor_id: string | null
  actor_email: string | null
  comment: string | null
  state: 'queued' | 'applied' | 'rejected'
  result: { [key: string]: Json } | null
  problem: Refusal | null
  run_id: string | null
  run_deadline: string | null
  not_after: string | null
}

/** An approval that could not be carried out within this many minutes is no longer meant. */
const approvalMins = 10
/** How long a block script may keep an approval waiting, queueing included. */
export const blockSeconds = 30

type NewCommand = {
  id?: string
  kind: CommandKind
  request_id: string
  actor?: Actor
  comment?: string | null
  /** The approval has to pass a block script. */
  is_blocking?: boolean
}

/**
 * Writes down what somebody is entitled to have done, in the transaction that checked it. `next_attempt_at` leaves
 * the sender time to reach the engine before the relay tries.
 */
export async function queueCommand(tx: Tx, command: NewCommand): Promise<string> {
  const { id = randomUUIDv7(), kind, request_id, actor, comment = null, is_blocking = false } = command
  const patience = is_blocking ? blockSeconds + 4 : 6
  await tx`
    insert into commands (id, request_id, kind, actor_id, actor_email, comment, run_id, run_deadline, not_after,
      next_attempt_at)
    values (${id}, ${request_id}, ${kind}, ${actor?.id ?? null}, ${actor?.email ?? null}, ${comment},
      ${is_blocking ? randomUUIDv7() : null},
      ${is_blocking ? tx`clock_timestamp() + ${blockSeconds} * interval '1 second'` : null},
      ${kind === 'approve' ? tx`clock_timestamp() + ${approvalMins} * interval '1 minute'` : null},
      clock_timestamp() + ${patience} * interval '1 second')
    on conflict (id) do nothing`
  return id
}

const columns = (db: Db) => db`id, request_id, kind, actor_id, actor_email, comment, state, result, problem,
  run_id, run_deadline, not_after`

export function findCommand(db: Db, id: string): Promise<CommandRow | undefined> {
  return findRow<CommandRow>(db`select ${columns(db)} from commands where id = ${id}`)
}

/** How many commands of somebody on a request are not carried out yet. */
export async function countWaiting(db: Db, request_id: string, actor_id: string): Promise<number> {
  const { waiting } = await getRow<{ waiting: number }>(db`
    select count(*)::int as waiting from commands
    where request_id = ${request_id} and actor_id = ${actor_id} and state = 'queued'`)
  return waiting
}

/** The approval whose block script may be running now, if there is one. */
export function findBlockingApproval(db: Db, request_id: string): Promise<CommandRow | undefined> {
  return findRow<CommandRow>(db`
    select ${columns(db)} from commands
    where request_id = ${request_id} and kind in ('approve', 'auto_approve') and state = 'queued'
      and run_deadline > clock_timestamp() order by id limit 1`)
}

export async function settleCommand(
  tx: Tx,
  id: string,
  outcome: { status: string } | Refusal,
): Promise<void> {
  const isRefusal = 'code' in outcome
  await tx`update commands set state = ${isRefusal ? 'rejected' : 'applied'}, finished_at = clock_timestamp(),
    result = ${isRefusal ? null : tx.json(outcome)}, problem = ${isRefusal ? tx.json(outcome) : null}
    where id = ${id} and state = 'queued'`
}

/** The refusal as its sender gets it. */
export const asError = ({ code, message, extensions }: Refusal): DomainError =>
  new DomainError(code, message, extensions)

/** What the sender of a command that was answered 202 may read of it. */
export function viewCommand({ id, kind, state, result, problem }: CommandRow): Command {
  const told = problem && { code: problem.code, detail: problem.message, ...problem.extensions }
  return { id, kind: kind === 'auto_approve' ? 'approve' : kind, state, result, problem: told }
}

/** A command that waits to be carried on with. */
export type Due = Pick<CommandRow, 'id' | 'request_id' | 'kind'> & { has_lapsed: boolean }

/**
 * Takes up to 20 commands that the engine has not answered, each the oldest of its request, and hides them from other takers for a
 * growing while. A block run that has not begun gets its 30 seconds anew.
 */
export function claimCommands(sql: Sql): Promise<Due[]> {
  return rows<Due>(sql`
    with due as (
      select id from commands c where state = 'queued' and next_attempt_at <= clock_timestamp()
        and not exists (select from commands e
                        where e.request_id = c.request_id and e.state = 'queued' and e.id < c.id)
      order by next_attempt_at limit 20 for update skip locked
    )
    update commands c set attempts = c.attempts + 1,
      next_attempt_at = clock_timestamp() + power(2, least(c.attempts, 5)) * interval '1 second',
      run_deadline = case
        when c.run_id is not null and not exists (select from script_runs s where s.id = c.run_id)
        then clock_timestamp() + ${blockSeconds} * interval '1 second' else c.run_deadline end
    from due where c.id = due.id
    returning c.id, c.request_id, c.kind, coalesce(c.not_after < clock_timestamp(), false) as has_lapsed`)
}

/** Lets the relay try at once: the sender's own attempt came to nothing. */
export async function releaseCommand(db: Db, id: string): Promise<void> {
  await db`update commands set next_attempt_at = clock_timestamp() where id = ${id} and state = 'queued'`
}
