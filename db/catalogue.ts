import type { CatalogueEntry } from '../domain/catalogue.ts'
import { rows } from './client.ts'
import type { Db } from './client.ts'
import { toPage } from './paging.ts'
import type { Page, PageRequest } from './paging.ts'

type Asking = { caller_id: string; max_duration_mins: number }

/** Every template with the names of what it grants and who decides, and for whom the caller could ask now. */
export async function listCatalogue(
  db: Db,
  { caller_id, max_duration_mins }: Asking,
  page: PageRequest,
): Promise<Page<CatalogueEntry>> {
  const found = await rows<CatalogueEntry>(db`
    with subjects as (
      select i.id, i.display_name, i.id <> ${caller_id} as is_other from identities i
      where i.id = ${caller_id} or (i.kind <> 'human' and i.status = 'active'
        and (i.expires_at is null or i.expires_at > clock_timestamp())
        and (i.owner_id = ${caller_id} or exists (
          select from identity_delegates d where d.identity_id = i.id and d.delegate_id = ${caller_id})))
    ), held as (
      select array(select group_id from active_groups(${caller_id}, clock_timestamp())) as group_ids
    )
    select t.id, t.name, t.description, t.app_id, a.name as app_name, t.allowed_durations,
      ${max_duration_mins}::int as max_duration_mins, t.require_justification, t.auto_approve, t.custom_fields,
      coalesce((select jsonb_agg(jsonb_build_object('id', m.id, 'name', m.name, 'claim', m.claim, 'value', m.value,
          'privilege_level', m.privilege_level) order by o.ordinality)
        from unnest(t.mapping_ids) with ordinality as o (id, ordinality)
        join app_mappings m on m.id = o.id), '[]') as mappings,
      array(select g.name from unnest(t.approver_group_ids) with ordinality as o (id, ordinality)
            join groups g on g.id = o.id order by o.ordinality) as approver_groups,
      t.allowed_group_ids = '{}' or t.allowed_group_ids && held.group_ids as may_request,
      (select jsonb_agg(jsonb_build_object('id', s.id, 'display_name', s.display_name, 'pending_request_id',
          (select r.id from access_requests r
           where r.template_id = t.id and r.subject_id = s.id and r.status = 'pending'))
        order by s.is_other, s.display_name, s.id) from subjects s) as subjects
    from held, templates t join applications a on a.id = t.app_id
    where ${page.after}::uuid is null or t.id > ${page.after}
    order by t.id limit ${page.limit + 1}`)
  return toPage('catalogue', page, found)
}
