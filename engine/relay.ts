import type { Sql } from '../db/client.ts'
import { applyCommand } from '../db/requests/apply.ts'
import { claimCommands } from '../db/requests/commands.ts'
import type { Engine } from './engine.ts'

const patienceMs = 10_000

/**
 * Goes on with the commands whose senders got no answer: hands them to the engine again, and ends the approvals that
 * have lapsed, for which no engine is needed. Returns how many there were.
 */
export async function relayCommands(sql: Sql, engine: Engine): Promise<number> {
  const due = await claimCommands(sql)
  await Promise.allSettled(
    due.map(({ id, request_id, has_lapsed }) =>
      has_lapsed ? applyCommand(sql, { command_id: id, request_id }) : engine.send(id, patienceMs),
    ),
  )
  return due.length
}
