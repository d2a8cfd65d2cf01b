import type { ShownDelivery } from '../../domain/delivery.ts'
import { rows } from '../client.ts'
import type { Db } from '../client.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'

type Row = Omit<ShownDelivery, 'id' | 'event_id'> & { delivery_id: string; id: string }

/** Newest first. A task has one delivery of an event, and ids of events are in the order of their making. */
export async function listDeliveries(
  db: Db,
  task_id: string,
  page: PageRequest,
): Promise<Page<ShownDelivery>> {
  const found = await rows<Row>(db`
    select d.event_id as id, d.id as delivery_id, d.event_type, d.request_id, d.state, d.created_at, d.finished_at,
      (select count(*)::int from script_runs s
       where s.event_id = d.event_id and s.task_id = d.task_id and s.trigger = d.event_type) as attempts
    from deliveries d
    where d.task_id = ${task_id} and (${page.after}::uuid is null or d.event_id < ${page.after})
    order by d.event_id desc limit ${page.limit + 1}`)
  const { data, next_cursor } = toPage('deliveries', page, found)
  return {
    data: data.map(({ id: event_id, delivery_id: id, ...delivery }) => ({ id, event_id, ...delivery })),
    next_cursor,
  }
}
