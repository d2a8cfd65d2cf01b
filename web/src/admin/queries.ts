import { queryOptions } from '@tanstack/react-query'

import { call, send } from '../api/call.ts'
import type { CallOptions } from '../api/call.ts'
import { allOf, pagedQuery } from '../api/queries.ts'
import type { Routes } from '../api/routes.ts'

/**
 * A resource with the version that a save has to name. Such queries have no `gcTime`: a form begins with what is there
 * now, not with what was there when somebody looked last.
 */
export type Versioned<Resource> = { resource: Resource; etag: string | undefined }

async function readVersioned<Name extends keyof Routes>(
  name: Name,
  options: CallOptions<Name>,
): Promise<Versioned<Routes[Name]['answer']>> {
  const { body, etag } = await send(name, options)
  return { resource: body, etag }
}

/** Lists that several pages choose from are not read anew for each of them. */
const staleTime = 30_000

export const templatesQuery = queryOptions({
  queryKey: ['templates'],
  queryFn: ({ signal }) => allOf((query) => call('GET /access-request-templates', { query, signal })),
  staleTime,
})
export const templateQuery = (id: string) =>
  queryOptions({
    queryKey: ['templates', id],
    queryFn: ({ signal }) => readVersioned('GET /access-request-templates/{id}', { params: { id }, signal }),
    gcTime: 0,
  })
export const approversQuery = (group_ids: string[]) =>
  queryOptions({
    queryKey: ['eligible-approvers', group_ids.join()],
    queryFn: ({ signal }) =>
      call('GET /eligible-approvers', { query: { group_ids: group_ids.join(), limit: 200 }, signal }),
  })

export const scriptsQuery = queryOptions({
  queryKey: ['scripts'],
  queryFn: ({ signal }) => allOf((query) => call('GET /scheduled-tasks', { query, signal })),
  staleTime,
})
export const scriptQuery = (id: string) =>
  queryOptions({
    queryKey: ['scripts', id],
    queryFn: ({ signal }) => readVersioned('GET /scheduled-tasks/{id}', { params: { id }, signal }),
    gcTime: 0,
  })
export const runsOfScriptQuery = (id: string) =>
  pagedQuery(['scripts', id, 'runs'], ({ cursor }, signal) =>
    call('GET /scheduled-tasks/{id}/runs', { params: { id }, query: { limit: 50, cursor }, signal }),
  )
export const deliveriesQuery = (id: string) =>
  pagedQuery(['scripts', id, 'deliveries'], (query, signal) =>
    call('GET /scheduled-tasks/{id}/deliveries', { params: { id }, query, signal }),
  )
export const versionsQuery = (id: string) =>
  queryOptions({
    queryKey: ['scripts', id, 'versions'],
    queryFn: ({ signal }) =>
      allOf((query) => call('GET /scheduled-tasks/{id}/versions', { params: { id }, query, signal })),
  })

export const secretsQuery = queryOptions({
  queryKey: ['secrets'],
  queryFn: ({ signal }) => allOf((query) => call('GET /secrets', { query, signal })),
})

export const identitiesQuery = queryOptions({
  queryKey: ['identities'],
  queryFn: ({ signal }) => allOf((query) => call('GET /identities', { query, signal })),
  staleTime,
})
export const identityQuery = (id: string) =>
  queryOptions({
    queryKey: ['identities', id],
    queryFn: ({ signal }) => readVersioned('GET /identities/{id}', { params: { id }, signal }),
    gcTime: 0,
  })
export const credentialsQuery = (id: string) =>
  queryOptions({
    queryKey: ['identities', id, 'credentials'],
    queryFn: ({ signal }) =>
      allOf((query) => call('GET /identities/{id}/credentials', { params: { id }, query, signal })),
  })

export const groupsQuery = queryOptions({
  queryKey: ['groups'],
  queryFn: async ({ signal }) => {
    const groups = await allOf((query) => call('GET /groups', { query, signal }))
    return groups.filter(({ kind }) => kind === 'standing')
  },
  staleTime,
})
export const groupQuery = (id: string) =>
  queryOptions({
    queryKey: ['groups', id],
    queryFn: ({ signal }) => readVersioned('GET /groups/{id}', { params: { id }, signal }),
    gcTime: 0,
  })
export const membersQuery = (id: string) =>
  queryOptions({
    queryKey: ['groups', id, 'members'],
    queryFn: ({ signal }) =>
      allOf((query) => call('GET /groups/{id}/members', { params: { id }, query, signal })),
  })

export const applicationsQuery = queryOptions({
  queryKey: ['applications'],
  queryFn: ({ signal }) => allOf((query) => call('GET /applications', { query, signal })),
  staleTime,
})
export const applicationQuery = (id: string) =>
  queryOptions({
    queryKey: ['applications', id],
    queryFn: ({ signal }) => readVersioned('GET /applications/{id}', { params: { id }, signal }),
    gcTime: 0,
  })
export const mappingsQuery = (app_id: string) =>
  queryOptions({
    queryKey: ['applications', app_id, 'mappings'],
    queryFn: ({ signal }) =>
      allOf((query) => call('GET /applications/{id}/mappings', { params: { id: app_id }, query, signal })),
  })
export const mappingQuery = ({ id, app_id }: { id: string; app_id: string }) =>
  queryOptions({
    queryKey: ['applications', app_id, 'mappings', id],
    queryFn: ({ signal }) => readVersioned('GET /app-mappings/{id}', { params: { id }, signal }),
    gcTime: 0,
  })
