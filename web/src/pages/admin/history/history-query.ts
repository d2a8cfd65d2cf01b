import type { AccessRequest } from '../../../../../domain/access-request.ts'
import { call } from '../../../api/call.ts'
import { allOf, pagedQuery } from '../../../api/queries.ts'

/** As the address holds them; absent: any. `held_from` and `held_to` are days of the viewer, both included. */
export type Filters = {
  status?: string
  template_id?: string
  requester?: string
  held_from?: string
  held_to?: string
}

/** When a day of the viewer begins, or one `later`; what is no day is for the API to refuse. */
function beginOf(day: string | undefined, later = 0): string | undefined {
  if (day === undefined) return undefined
  const at = new Date(`${day}T00:00`)
  at.setDate(at.getDate() + later)
  return Number.isNaN(at.getTime()) ? day : at.toISOString()
}

const queryOf = ({ held_from, held_to, ...filters }: Filters) => ({
  ...filters,
  held_from: beginOf(held_from),
  held_until: beginOf(held_to, 1),
})

export const historyQuery = (filters: Filters) =>
  pagedQuery(['requests', 'all', filters], (query, signal) =>
    call('GET /access-requests/all', { query: { ...query, ...queryOf(filters) }, signal }),
  )

/** The whole filtered set, page by page; `onRead` is told how many there are so far. */
export async function readAll(filters: Filters, onRead: (count: number) => void): Promise<AccessRequest[]> {
  let count = 0
  return allOf(async (query) => {
    const page = await call('GET /access-requests/all', { query: { ...query, ...queryOf(filters) } })
    count += page.data.length
    onRead(count)
    return page
  })
}
