import { DomainError } from '../../domain/errors.ts'
import { appendAudit } from '../audit.ts'
import type { Actor } from '../audit.ts'
import { findRow, transaction } from '../client.ts'
import type { Sql, Tx } from '../client.ts'
import type { Precondition } from '../versions.ts'
import { lockGroup, touchGroup } from './groups.ts'
import { assertMayGrant } from './may-grant.ts'
import { assertPresent } from './presence.ts'

type Write = { group_id: string; mapping_id: string; actor: Actor; precondition: Precondition }

type Entitlement = { app_id: string; mapping_id: string; name: string; claim: string; value: string }

/** Held against deletion until the transaction ends. */
async function getEntitlement(tx: Tx, mapping_id: string): Promise<Entitlement> {
  const found = await findRow<Entitlement>(tx`
    select app_id, id as mapping_id, name, claim, value from app_mappings where id = ${mapping_id} for key share`)
  if (found === undefined) throw new DomainError('not_found', 'There is no such mapping.')
  return found
}

async function record(
  tx: Tx,
  kind: string,
  { group_id, actor }: Write,
  detail: Entitlement & { group_name: string },
) {
  await touchGroup(tx, group_id)
  await appendAudit(tx, { kind, actor, object_type: 'group', object_id: group_id, detail })
}

/**
 * Gives every member of a standing group an entitlement.
 * @throws DomainError `not_found`, `temporary_group`, `precondition_failed`, `forbidden`
 */
export function putGroupMapping(sql: Sql, write: Write): Promise<void> {
  const { group_id, mapping_id, actor, precondition } = write
  return transaction(sql, async (tx) => {
    const { resource: group } = await lockGroup(tx, group_id)
    const entitlement = await getEntitlement(tx, mapping_id)
    const isHeld = group.mapping_ids.some((id) => id === mapping_id)
    assertPresent(precondition, isHeld)
    if (isHeld) return
    await assertMayGrant(tx, actor, { mapping_ids: [mapping_id] })
    await tx`insert into group_mappings (group_id, mapping_id) values (${group_id}, ${mapping_id})`
    await record(tx, 'group_mapping.added', write, { ...entitlement, group_name: group.name })
  })
}

/** @throws DomainError `not_found`, `temporary_group`, `precondition_failed` */
export function deleteGroupMapping(sql: Sql, write: Write): Promise<void> {
  const { group_id, mapping_id, precondition } = write
  return transaction(sql, async (tx) => {
    const { resource: group } = await lockGroup(tx, group_id)
    const entitlement = await getEntitlement(tx, mapping_id)
    if (!group.mapping_ids.some((id) => id === mapping_id)) {
      throw new DomainError('not_found', 'The group does not carry this mapping.')
    }
    assertPresent(precondition, true)
    await tx`delete from group_mappings where group_id = ${group_id} and mapping_id = ${mapping_id}`
    await record(tx, 'group_mapping.removed', write, { ...entitlement, group_name: group.name })
  })
}
