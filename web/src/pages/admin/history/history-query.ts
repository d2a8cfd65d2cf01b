import type { AccessRequest } from '../../../../../domain/access-request.ts'
import { call } from '../../../api/call.ts'
import { allOf, pagedQuery } from '../../../api/queries.ts'

/** As the address holds them; absent: any. */
export type Filters = { status?: string; template_id?: string; requester?: string }

export const historyQuery = (filters: Filters) =>
  pagedQuery(['requests', 'all', filters], (query, signal) =>
    call('GET /access-requests/all', { query: { ...query, ...filters }, signal }),
  )

/** The whole filtered set, page by page; `onRead` is told how many there are so far. */
export async function readAll(filters: Filters, onRead: (count: number) => void): Promise<AccessRequest[]> {
  let count = 0
  return allOf(async (query) => {
    const page = await call('GET /access-requests/all', { query: { ...query, ...filters } })
    count += page.data.length
    onRead(count)
    return page
  })
}
