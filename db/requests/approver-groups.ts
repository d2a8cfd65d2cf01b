import type { EligibleApprover } from '../../domain/directory.ts'
import { rows } from '../client.ts'
import type { Db } from '../client.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'

/** Who could decide now if these were a template's approver groups; without groups: the admins. */
export async function listApproversOf(
  db: Db,
  group_ids: string[],
  page: PageRequest,
): Promise<Page<EligibleApprover>> {
  const found = await rows<EligibleApprover>(db`
    select i.id, i.email, i.display_name from identities i
    where i.kind = 'human' and i.status = 'active'
      and (i.expires_at is null or i.expires_at > clock_timestamp())
      and (${page.after}::uuid is null or i.id > ${page.after})
      and exists (
        select from memberships m join groups g on g.id = m.group_id
        where m.identity_id = i.id and (m.expires_at is null or m.expires_at > clock_timestamp())
          and (g.expires_at is null or g.expires_at > clock_timestamp())
          and (g.id = any (${group_ids}::uuid[])
            or (${group_ids.length === 0} and 'access_requests.manage' = any (g.permissions))))
    order by i.id limit ${page.limit + 1}`)
  return toPage('eligible-approvers', page, found)
}
