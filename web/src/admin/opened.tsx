import type { UseQueryResult } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'

import { isProblem } from '../api/problem.ts'
import { Page } from '../ui/page.tsx'
import { Empty, Loading, Refusal } from '../ui/states.tsx'

type OpenedProps<Data> = {
  query: UseQueryResult<Data>
  /** Of the page until it has its own. */
  title: string
  /** Where to go on from what is not there. */
  list: { to: string; label: string }
  children: (data: Data) => ReactNode
}

/** The page of one resource, once it is here; until then its place, or why it does not come. */
export function Opened<Data>({ query, title, list, children }: OpenedProps<Data>) {
  const { data, error, refetch } = query
  if (data !== undefined) return children(data)
  return (
    <Page title={title}>
      {error === null && <Loading rows={6} />}
      {isProblem(error, 'not_found') && (
        <Empty title="It is not here any more.">
          Somebody may have deleted it. See <Link to={list.to}>{list.label}</Link>.
        </Empty>
      )}
      {error !== null && !isProblem(error, 'not_found') && (
        <Refusal error={error} retry={() => void refetch()} />
      )}
    </Page>
  )
}
