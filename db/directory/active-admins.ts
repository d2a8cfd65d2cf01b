import { DomainError } from '../../domain/errors.ts'
import type { Actor } from '../audit.ts'
import { getRow, transaction } from '../client.ts'
import type { Sql, Tx } from '../client.ts'
import { findCaller, holds } from './caller.ts'

/** An active person who manages by a membership, a group and an identity that have no end: time takes none of them. */
async function isAnyAdmin(tx: Tx): Promise<boolean> {
  const { found } = await getRow<{ found: boolean }>(tx`
    select exists (
      select from memberships m
      join groups g on g.id = m.group_id
      join identities i on i.id = m.identity_id
      where 'access_requests.manage' = any (g.permissions)
        and i.kind = 'human' and i.status = 'active'
        and i.expires_at is null and m.expires_at is null and g.expires_at is null
    ) as found`)
  return found
}

/** What a caller may do was read when the call came in; since then an admin may have taken it from them. */
async function assertStillManages(tx: Tx, actor: Actor): Promise<void> {
  const caller = actor.id === null ? undefined : await findCaller(tx, actor.id)
  if (actor.id === null || (caller && holds(caller, 'directory.manage'))) return
  throw new DomainError('forbidden', 'You no longer hold directory.manage.')
}

/** Makes whoever changes who is an admin wait until the transaction ends; says whether there is any. */
export async function lockAdmins(tx: Tx): Promise<{ isAnyAdmin: boolean }> {
  await tx`select from guards where name = 'active_admins' for update`
  return { isAnyAdmin: await isAnyAdmin(tx) }
}

/**
 * A transaction for a change of who may do what. Such changes happen one after another, each by somebody who may
 * still make them, so that two admins who remove each other do not both succeed; one that takes away the last admin
 * is undone.
 * @throws DomainError `forbidden`, `last_admin`
 */
export function keepingAnAdmin<Result>(
  sql: Sql,
  actor: Actor,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  return transaction(sql, async (tx) => {
    const { isAnyAdmin: wasAnyAdmin } = await lockAdmins(tx)
    await assertStillManages(tx, actor)
    const result = await work(tx)
    if (!wasAnyAdmin || (await isAnyAdmin(tx))) return result
    throw new DomainError(
      'last_admin',
      'There must always be an active person who holds access_requests.manage without an end.',
    )
  })
}
