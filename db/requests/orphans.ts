import { nobody } from '../audit.ts'
import { findRow, rows, transaction } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import { lockRequest, transition } from '../transition.ts'
import type { LockedRequest } from '../transition.ts'

/** A request is orphaned when its subject, or while it is pending its requester, is disabled or past its own end. */
const orphaned = (db: Db) => db`
  r.status in ('pending', 'approved') and exists (
    select from identities i where (i.expires_at <= clock_timestamp() or i.status = 'disabled')
      and (i.id = r.subject_id or (r.status = 'pending' and i.id = r.requester_id)))`

export async function findOrphans(db: Db): Promise<string[]> {
  const found = await rows<{ id: string }>(
    db`select r.id from access_requests r where ${orphaned(db)} limit 500`,
  )
  return found.map(({ id }) => id)
}

/** Revokes a request that is orphaned. Returns it as it is then; the caller holds its row. */
export async function endOrphan(tx: Tx, request: LockedRequest): Promise<LockedRequest> {
  const found = await findRow(
    tx`select 1 from access_requests r where r.id = ${request.id} and ${orphaned(tx)}`,
  )
  if (found === undefined) return request
  await transition(tx, request, {
    event: 'revoked',
    actor: nobody,
    comment: null,
    reason: 'identity_inactive',
  })
  return { ...request, status: 'revoked' }
}

/** Returns whether it was orphaned, and so has been ended. */
export function revokeOrphan(sql: Sql, request_id: string): Promise<boolean> {
  return transaction(sql, async (tx) => {
    const request = await lockRequest(tx, request_id)
    if (request === undefined) return false
    return (await endOrphan(tx, request)) !== request
  })
}
