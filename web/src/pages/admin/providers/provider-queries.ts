import { queryOptions } from '@tanstack/react-query'

import { call, send } from '../../../api/call.ts'
import { allOf } from '../../../api/queries.ts'

export const providersQuery = queryOptions({
  queryKey: ['sign-in-providers'],
  queryFn: ({ signal }) => allOf((query) => call('GET /sign-in-providers', { query, signal })),
})

export const providerQuery = (id: string) =>
  queryOptions({
    queryKey: ['sign-in-providers', id],
    queryFn: async ({ signal }) => {
      const { body: resource, etag } = await send('GET /sign-in-providers/{id}', { params: { id }, signal })
      return { resource, etag }
    },
    gcTime: 0,
  })
