import type { InfiniteData, Query, QueryClient } from '@tanstack/react-query'

import type { AccessRequest } from '../../../domain/access-request.ts'
import { requestQuery } from '../api/queries.ts'
import type { Page } from '../api/routes.ts'
import type { LiveEvent } from './follow.ts'

type List = InfiniteData<Page<AccessRequest>>

/** A list of more pages is not read anew for each event: its rows are mended where they stand. */
const fewPages = 2

const isList = (data: unknown): data is List => typeof data === 'object' && data !== null && 'pages' in data

const isLong = ({ state: { data } }: Query): boolean => isList(data) && data.pages.length > fewPages

const mend = (list: List, request: AccessRequest): List => ({
  ...list,
  pages: list.pages.map((page) =>
    page.data.some(({ id }) => id === request.id)
      ? { ...page, data: page.data.map((row) => (row.id === request.id ? request : row)) }
      : page,
  ),
})

/** What the viewer may no longer see stays as it was until the list is read again. */
async function mendLongLists(client: QueryClient, requests: Set<string>): Promise<void> {
  const long = client.getQueryCache().findAll({ queryKey: ['requests'], predicate: isLong })
  if (long.length === 0) return
  for (const id of requests) {
    const request = await client.fetchQuery(requestQuery(id)).catch(() => undefined)
    if (request === undefined) continue
    for (const { queryKey } of long)
      client.setQueryData<List>(queryKey, (list) => list && mend(list, request))
  }
}

const isRemark = ({ kind }: LiveEvent): boolean =>
  kind === 'message' || kind === 'run' || kind === 'block_run'

/** Reads anew what these events have made old, and nothing else. */
export async function refresh(client: QueryClient, events: LiveEvent[]): Promise<void> {
  const changed = new Set(events.filter((event) => !isRemark(event)).map(({ request_id }) => request_id))
  for (const id of new Set(events.map(({ request_id }) => request_id)))
    void client.invalidateQueries({ queryKey: ['request', id] })
  if (changed.size === 0) return
  void client.invalidateQueries({ queryKey: ['catalogue'] })
  void client.invalidateQueries({ queryKey: ['requests'], predicate: (query) => !isLong(query) })
  await mendLongLists(client, changed)
}
