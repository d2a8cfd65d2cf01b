import type { Sql } from '../db/client.ts'
import { applyCommand } from '../db/requests/apply.ts'
import { claimCommands } from '../db/requests/commands.ts'
import type { Due } from '../db/requests/commands.ts'
import type { Engine } from './engine.ts'

const patienceMs = 10_000

/**
 * Goes on with the commands whose senders got no answer: hands them to the engine again, and ends the approvals that
 * have lapsed, for which no engine is needed. Returns how many there were.
 */
export async function relayCommands(sql: Sql, engine: Engine): Promise<number> {
  const due = await claimCommands(sql)
  await Promise.allSettled(due.map((command) => carryOn(sql, engine, command)))
  return due.length
}

/** A lapsed approval and a revocation need no engine: the one changes nothing, the other must not wait. */
async function carryOn(
  sql: Sql,
  engine: Engine,
  { id: command_id, request_id, kind, has_lapsed }: Due,
): Promise<void> {
  const isAnswered = !has_lapsed && (await engine.send(command_id, patienceMs))
  if (isAnswered || (!has_lapsed && kind !== 'revoke')) return
  await applyCommand(sql, { command_id, request_id })
}
