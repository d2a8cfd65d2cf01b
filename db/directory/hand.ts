import { DomainError } from '../../domain/errors.ts'
import type { Identity } from '../../domain/directory.ts'
import { appendAudit } from '../audit.ts'
import type { Actor } from '../audit.ts'
import { findRow } from '../client.ts'
import type { Tx } from '../client.ts'

type Status = Identity['status']
type Change = { id: string; before: Status | undefined; status: Status | undefined; actor: Actor }

/**
 * Keeps in mind who disabled an identity by hand, until it is enabled. Where an identity provider had disabled it
 * before, that is all that happens, and on record by itself.
 */
export async function noteHand(tx: Tx, { id, before, status, actor }: Change): Promise<void> {
  if (status === 'active') await tx`update identities set disabled_by = null where id = ${id}`
  if (status !== 'disabled' || actor.id === null) return
  const { count } = await tx`
    update identities set disabled_by = ${actor.id} where id = ${id} and disabled_by is null`
  if (count === 0 || before !== 'disabled') return
  await appendAudit(tx, {
    kind: 'identity.disabled_by_hand',
    actor,
    object_type: 'identity',
    object_id: id,
    detail: {},
  })
}

/** An identity provider wants to enable whom an admin has disabled. */
export class DisabledByHand extends DomainError {
  readonly identity_id: string

  constructor(identity_id: string) {
    super('forbidden', 'An admin has disabled this person by hand: only an admin enables them again.')
    this.identity_id = identity_id
  }
}

/** @throws DisabledByHand */
export async function assertNotDisabledByHand(tx: Tx, id: string): Promise<void> {
  const held = await findRow(
    tx`select id from identities where id = ${id} and status = 'disabled' and disabled_by is not null`,
  )
  if (held !== undefined) throw new DisabledByHand(id)
}
