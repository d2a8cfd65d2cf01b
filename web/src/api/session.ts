import { queryOptions, useSuspenseQuery } from '@tanstack/react-query'

import type { Me } from '../../../domain/directory.ts'
import { call } from './call.ts'
import { heedPerson } from './one-person.ts'
import { isProblem } from './problem.ts'

/** Null: nobody is signed in. */
async function readMe(signal: AbortSignal): Promise<Me | null> {
  try {
    return await call('GET /me', { signal })
  } catch (error) {
    if (isProblem(error, 'unauthenticated')) return null
    throw error
  }
}

async function findMe(signal: AbortSignal): Promise<Me | null> {
  const me = await readMe(signal)
  heedPerson(me?.id ?? null)
  return me
}

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => findMe(signal),
  staleTime: 60_000,
})

/** Who is signed in. Pages stand below the shell, which shows the sign-in instead while there is nobody. */
export function useMe(): Me {
  const { data } = useSuspenseQuery(meQuery)
  if (data === null) throw new Error('nobody is signed in')
  return data
}

/** `access_requests.manage` is the right to do everything. */
export const may = ({ permissions }: Me, permission: string): boolean =>
  permissions.some((held: string) => held === permission || held === 'access_requests.manage')
