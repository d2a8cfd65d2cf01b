import { rows } from '../client.ts'
import type { Tx } from '../client.ts'
import { noteIfNobodyMayDecide } from './notify.ts'

/** Holds what an identity waits for, so that no decision goes on beside this change; returns what somebody may decide. */
async function holdDecidable(tx: Tx, identity_id: string): Promise<string[]> {
  const held = await rows<{ id: string }>(tx`
    select id from access_requests
    where status = 'pending' and ${identity_id} in (requester_id, subject_id) order by id for update`)
  if (held.length === 0) return []
  const decidable = await rows<{ id: string }>(tx`
    select r.id from access_requests r
    where r.id = any (${held.map(({ id }) => id)}::uuid[]) and r.status = 'pending'
      and exists (select from eligible_approvers(r)) order by r.id`)
  return decidable.map(({ id }) => id)
}

/**
 * Changes who can act as an identity, whose row this transaction holds. Decisions on its requests happen before or
 * after; where the change leaves out the last who could decide, the request says so.
 */
export async function changingActors<Result>(
  tx: Tx,
  identity_id: string,
  change: () => Promise<Result>,
): Promise<Result> {
  const decidable = await holdDecidable(tx, identity_id)
  const result = await change()
  for (const id of decidable) await noteIfNobodyMayDecide(tx, id)
  return result
}
