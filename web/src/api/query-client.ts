import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'

import { isProblem } from './problem.ts'

/** What another attempt may well get answered. */
const isPassing = (error: unknown): boolean =>
  isProblem(error) && ['network', 'unavailable', 'internal'].includes(error.code)

/** A session that has ended shows wherever it is met first: the shell asks anew who calls. */
function heedSignOut(error: unknown): void {
  if (isProblem(error, 'unauthenticated')) void queryClient.resetQueries({ queryKey: ['me'] })
}

export const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      if (query.queryKey[0] !== 'me') heedSignOut(error)
    },
  }),
  mutationCache: new MutationCache({ onError: heedSignOut }),
  defaultOptions: {
    // Without a network the answer is that there is none: nothing waits unseen, or is sent when nobody expects it any more.
    mutations: { networkMode: 'always' },
    queries: {
      networkMode: 'always',
      staleTime: 10_000,
      retry: (failures, error) => isPassing(error) && failures < 2,
    },
  },
})
