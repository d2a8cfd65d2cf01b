import { rows } from '../client.ts'
import type { Tx } from '../client.ts'
import { noteIfNobodyMayDecide } from './notify.ts'

/** These identities, and those that they own, speak for, or made a credential of. */
async function listActedFor(tx: Tx, ids: readonly string[]): Promise<string[]> {
  const named = tx`${[...ids]}::uuid[]`
  const found = await rows<{ id: string }>(tx`
    select id from identities where id = any (${named}) or owner_id = any (${named})
    union
    select identity_id from identity_delegates where delegate_id = any (${named})
    union
    select identity_id from credential_makers where maker_id = any (${named})`)
  return found.map(({ id }) => id)
}

/** Holds what identities wait for, so that no decision goes on beside this change; returns what somebody may decide. */
async function holdDecidable(tx: Tx, identity_ids: readonly string[]): Promise<string[]> {
  if (identity_ids.length === 0) return []
  const own = await listActedFor(tx, identity_ids)
  const held = await rows<{ id: string }>(tx`
    select id from access_requests
    where status = 'pending' and (requester_id = any (${own}::uuid[]) or subject_id = any (${own}::uuid[]))
    order by id for update`)
  if (held.length === 0) return []
  const decidable = await rows<{ id: string }>(tx`
    select r.id from access_requests r
    where r.id = any (${held.map(({ id }) => id)}::uuid[]) and r.status = 'pending'
      and exists (select from eligible_approvers(r)) order by r.id`)
  return decidable.map(({ id }) => id)
}

/**
 * Changes who can act as an identity, whose row this transaction holds, or who is taken for one who can. Decisions on
 * the requests of `identity_ids`, and of those that they act for, happen before or after; where the change leaves out
 * the last who could decide, the request says so.
 */
export async function changingActors<Result>(
  tx: Tx,
  identity_ids: readonly string[],
  change: () => Promise<Result>,
): Promise<Result> {
  const decidable = await holdDecidable(tx, identity_ids)
  const result = await change()
  for (const id of decidable) await noteIfNobodyMayDecide(tx, id)
  return result
}
