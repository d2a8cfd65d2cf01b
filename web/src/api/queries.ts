import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'

import { call } from './call.ts'
import type { Page } from './routes.ts'

/** As many rows as the API gives at once: long lists need few rounds. */
const limit = 200

type Fetch<Item> = (
  query: { limit: number; cursor: string | undefined },
  signal: AbortSignal,
) => Promise<Page<Item>>

/** A list that is read page by page, by the cursor of the one before. */
export const pagedQuery = <Item>(queryKey: readonly unknown[], fetch: Fetch<Item>) =>
  infiniteQueryOptions({
    queryKey,
    queryFn: ({ pageParam, signal }) => fetch({ limit, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor }: Page<Item>) => next_cursor ?? undefined,
  })

/** Every row of a list that is short by nature (groups, applications): reads all its pages. */
export async function allOf<Item>(fetch: (query: { limit: number; cursor?: string }) => Promise<Page<Item>>) {
  const items: Item[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page<Item> = await fetch({ limit, ...(cursor !== '' && { cursor }) })
    items.push(...page.data)
    cursor = page.next_cursor
  }
  return items
}

export const catalogueQuery = queryOptions({
  queryKey: ['catalogue'],
  queryFn: ({ signal }) => allOf((query) => call('GET /catalogue', { query, signal })),
})

/** What waits for the viewer's decision, oldest first. */
export const pendingQuery = pagedQuery(['requests', 'pending'], (query, signal) =>
  call('GET /access-requests/pending', { query, signal }),
)

export const mineQuery = (status: string | undefined) =>
  pagedQuery(['requests', 'mine', status ?? 'all'], (query, signal) =>
    call('GET /access-requests', { query: { ...query, status }, signal }),
  )

export const requestQuery = (id: string) =>
  queryOptions({
    queryKey: ['request', id],
    queryFn: ({ signal }) => call('GET /access-requests/{id}', { params: { id }, signal }),
  })

export const earlierQuery = (id: string) =>
  queryOptions({
    queryKey: ['request', id, 'earlier'],
    queryFn: ({ signal }) =>
      call('GET /access-requests/{id}/earlier', { params: { id }, query: { limit: 10 }, signal }),
  })

export const runsQuery = (id: string) =>
  queryOptions({
    queryKey: ['request', id, 'runs'],
    queryFn: ({ signal }) =>
      call('GET /access-requests/{id}/runs', { params: { id }, query: { limit }, signal }),
  })

export const messagesQuery = (id: string) =>
  queryOptions({
    queryKey: ['request', id, 'messages'],
    queryFn: ({ signal }) =>
      allOf((query) => call('GET /access-requests/{id}/messages', { params: { id }, query, signal })),
  })
