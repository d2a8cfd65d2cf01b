import type { PendingQuery } from 'postgres'

import { DomainError } from '../../domain/errors.ts'
import { rows } from '../client.ts'
import type { Tx } from '../client.ts'

type Fragment = PendingQuery<readonly (object | undefined)[]>

const openRequests = (tx: Tx, condition: Fragment) => tx`
  select 'request ' || id as by from access_requests where status in ('pending', 'approved') and ${condition}`

const naming = (tx: Tx, mapping_id: string) =>
  openRequests(tx, tx`mappings @> jsonb_build_array(jsonb_build_object('id', ${mapping_id}::text))`)

const shown = 3

async function refuse(referrers: Fragment): Promise<void> {
  const found = (await rows<{ by: string }>(referrers)).map(({ by }) => by)
  if (found.length === 0) return
  const more = found.length > shown ? ' and more' : ''
  throw new DomainError('in_use', `It is still in use by ${found.slice(0, shown).join(', ')}${more}.`)
}

/** Call it with the group's row locked against those who would name it. @throws DomainError `in_use` */
export const assertGroupUnused = (tx: Tx, id: string): Promise<void> =>
  refuse(tx`
    select 'template "' || name || '"' as by from templates
    where ${id} = any (approver_group_ids || allowed_group_ids) or escalation_group_id = ${id}
    union all
    ${openRequests(
      tx,
      tx`(${id} = any (approver_group_ids) or escalation_group_id = ${id}
        or snapshot -> 'allowed_group_ids' ? ${id}::text)`,
    )}
    union all
    select 'application "' || name || '"' from applications where owner_group_id = ${id}
    union all
    select 'sign-in provider "' || p.name || '"' from sign_in_providers p where exists (
      select from sign_in_group_mappings m where m.provider_id = p.id and m.group_id = ${id})
    limit ${shown + 1}`)

/** As `assertGroupUnused`. The application's own mappings count as part of it. */
export const assertApplicationUnused = (tx: Tx, id: string): Promise<void> =>
  refuse(tx`
    select 'template "' || name || '"' as by from templates where app_id = ${id}
    union all
    ${openRequests(tx, tx`app_id = ${id}`)}
    union all
    select 'group "' || g.name || '"' from groups g where exists (
      select from group_mappings c join app_mappings a on a.id = c.mapping_id
      where c.group_id = g.id and a.app_id = ${id})
    limit ${shown + 1}`)

/** As `assertGroupUnused`. */
export const assertMappingUnused = (tx: Tx, id: string): Promise<void> =>
  refuse(tx`
    select 'template "' || name || '"' as by from templates where ${id} = any (mapping_ids)
    union all
    ${naming(tx, id)}
    union all
    select 'group "' || g.name || '"' from group_mappings c join groups g on g.id = c.group_id
    where c.mapping_id = ${id}
    limit ${shown + 1}`)

/**
 * Keeps submissions away, which hold their template: none that names the mapping is under way then. Comes before the
 * mapping's own lock, as whoever saves a template locks it before what it names.
 */
export async function lockTemplatesNaming(tx: Tx, mapping_id: string): Promise<void> {
  await tx`select from templates where ${mapping_id} = any (mapping_ids) order by id for no key update`
}

/** What an open request asks for or gave stays what its record says. @throws DomainError `in_use` */
export const assertMappingNotRequested = (tx: Tx, id: string): Promise<void> =>
  refuse(tx`${naming(tx, id)} limit ${shown + 1}`)
