import { expect } from 'vitest'

import type { Sql } from '../../../db/client.ts'
import type { TestApi } from '../../setup/api.ts'
import { addApplication, fresh } from '../../setup/people.ts'

type Fields = { [key: string]: unknown }

/** What the tests that are the same for every directory resource have to know of one. `text` is a field that holds any text. */
export type Resource = {
  collection: (sql: Sql) => Promise<string>
  path: string
  edit: 'PUT' | 'PATCH'
  text: string
  input: () => Fields
}

const at = (collection: string) => () => Promise.resolve(collection)

export const resources: [name: string, Resource][] = [
  [
    'identity',
    {
      collection: at('/identities'),
      path: '/identities',
      edit: 'PATCH',
      text: 'display_name',
      input: () => ({ email: `${fresh('p')}@example.com`, display_name: 'P' }),
    },
  ],
  [
    'group',
    {
      collection: at('/groups'),
      path: '/groups',
      edit: 'PUT',
      text: 'description',
      input: () => ({ name: fresh('g') }),
    },
  ],
  [
    'application',
    {
      collection: at('/applications'),
      path: '/applications',
      edit: 'PUT',
      text: 'description',
      input: () => ({ name: fresh('a'), slug: fresh('a') }),
    },
  ],
  [
    'mapping',
    {
      collection: async (sql) => `/applications/${(await addApplication(sql)).id}/mappings`,
      path: '/app-mappings',
      edit: 'PUT',
      text: 'value',
      input: () => ({ name: fresh('m'), claim: 'roles', value: 'v' }),
    },
  ],
]

/** Creates one over the API, as an admin. */
export async function addResource(api: TestApi, sql: Sql, as: string, resource: Resource) {
  const input = resource.input()
  const created = await api.call<{ id: string }>('POST', await resource.collection(sql), { as, body: input })
  expect(created.status).toBe(201)
  const { id } = created.body
  return { id, input, path: `${resource.path}/${id}` }
}
