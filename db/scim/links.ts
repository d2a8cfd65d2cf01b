import { DomainError } from '../../domain/errors.ts'
import type { ScimLink } from '../../domain/scim.ts'
import { appendAudit } from '../audit.ts'
import type { Actor } from '../audit.ts'
import { rows, transaction } from '../client.ts'
import type { Db, Sql } from '../client.ts'
import { lockGroup } from '../directory/groups.ts'
import { assertMayGrant } from '../directory/may-grant.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'

/** The groups whose people a provider keeps, oldest first. */
export async function listScimLinks(db: Db, page: PageRequest): Promise<Page<ScimLink>> {
  const found = await rows<ScimLink>(db`
    select g.id, g.name, s.external_id, s.is_linked from scim_groups s join groups g on g.id = s.group_id
    where ${page.after}::uuid is null or g.id > ${page.after} order by g.id limit ${page.limit + 1}`)
  return toPage('scim_groups', page, found)
}

type Link = { group_id: string; actor: Actor }

/**
 * Hands the people of a standing group over to the provider.
 * @throws DomainError `not_found`, `temporary_group`, `forbidden`
 */
export function linkGroup(sql: Sql, { group_id, actor }: Link): Promise<void> {
  return transaction(sql, async (tx) => {
    const { resource } = await lockGroup(tx, group_id)
    await assertMayGrant(tx, actor, { group_ids: [group_id] })
    const linked = await rows(tx`
      insert into scim_groups (group_id, is_linked) values (${group_id}, true)
      on conflict (group_id) do nothing returning group_id`)
    if (linked.length === 0) return
    const detail = { group_name: resource.name }
    await appendAudit(tx, {
      kind: 'scim_group.linked',
      actor,
      object_type: 'group',
      object_id: group_id,
      detail,
    })
  })
}

/** The group and its members stay; the provider sees neither any more. @throws DomainError `not_found` */
export function unlinkGroup(sql: Sql, { group_id, actor }: Link): Promise<void> {
  return transaction(sql, async (tx) => {
    const { resource } = await lockGroup(tx, group_id)
    const gone = await rows(tx`delete from scim_groups where group_id = ${group_id} returning group_id`)
    if (gone.length === 0) throw new DomainError('not_found', 'No provider keeps this group.')
    const detail = { group_name: resource.name }
    await appendAudit(tx, {
      kind: 'scim_group.unlinked',
      actor,
      object_type: 'group',
      object_id: group_id,
      detail,
    })
  })
}
