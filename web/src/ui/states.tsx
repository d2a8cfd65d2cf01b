import { Alert, Button, Skeleton, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'

import { messageOf } from '../api/problem.ts'
import classes from './states.module.css'

/** Where a list has nothing to show: why, and what one can do. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={classes.empty}>
      <Text fw={600}>{title}</Text>
      {children !== undefined && (
        <Text c="dimmed" component="div">
          {children}
        </Text>
      )}
    </div>
  )
}

/** A refusal or failure in a sentence, said aloud by screen readers; `retry` offers another attempt. */
export function Refusal({ error, retry, title }: { error: unknown; retry?: () => void; title?: string }) {
  return (
    <Alert role="alert" title={title} className={classes.refusal}>
      <Stack gap="xs" align="flex-start">
        <Text className="pre-line">{messageOf(error)}</Text>
        {retry !== undefined && (
          <Button size="xs" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  )
}

/** A place that is kept while its content is on the way, so that nothing jumps. */
export function Loading({ rows = 4, height = 56 }: { rows?: number; height?: number }) {
  return (
    <Stack gap="sm" aria-busy="true" aria-label="Loading" role="status">
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} height={height} />
      ))}
    </Stack>
  )
}

type Loaded<Data> = {
  data: Data | undefined
  error: Error | null
  refetch: () => unknown
}

/** Said above what was read before and could not be read anew. */
export function Old({ query }: { query: Loaded<unknown> }) {
  if (query.error === null) return null
  return <Refusal title="This may be out of date" error={query.error} retry={() => void query.refetch()} />
}

/** What a query brings, or its place while it is on the way, or why it did not come. What stands below it waits for it. */
export function Arriving<Data>({
  query,
  rows,
  children,
}: {
  query: Loaded<Data>
  rows?: number
  children: (data: Data) => ReactNode
}) {
  if (query.data !== undefined)
    return (
      <>
        <Old query={query} />
        {children(query.data)}
      </>
    )
  if (query.error !== null) return <Refusal error={query.error} retry={() => void query.refetch()} />
  return (
    <div data-arriving>
      <Loading {...(rows !== undefined && { rows })} />
    </div>
  )
}
