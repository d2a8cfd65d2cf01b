import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from 'react'

import type { Page } from '../api/routes.ts'
import { Loading, Old, Refusal } from './states.tsx'
import classes from './virtual-rows.module.css'

type Row = { id: string }

type VirtualRowsProps<Item extends Row> = {
  query: UseInfiniteQueryResult<InfiniteData<Page<Item>>>
  /** What the list holds, for those who hear it. */
  label: string
  /** About how high a row is; each is measured once it is there. */
  rowHeight: number
  /** Said where there is nothing. */
  empty: ReactNode
  children: (item: Item) => ReactNode
}

/** So many rows before the end of what is loaded, the next page is asked for. */
const ahead = 30

/** A list of any length that scrolls with the window: only the rows in sight are on the page, more are loaded on the way. */
export function VirtualRows<Item extends Row>({ query, empty, ...props }: VirtualRowsProps<Item>) {
  const pages = query.data?.pages
  const items = useMemo(() => pages?.flatMap(({ data }) => data), [pages])
  if (items === undefined) {
    if (query.error !== null) return <Refusal error={query.error} retry={() => void query.refetch()} />
    return <Loading rows={5} height={props.rowHeight - 8} />
  }
  return (
    <>
      {query.isRefetchError && <Old query={query} />}
      {items.length === 0 ? empty : <Rows items={items} query={query} {...props} />}
      {query.isFetchNextPageError && (
        <Refusal
          title="The rest of the list did not come"
          error={query.error}
          retry={() => void query.fetchNextPage()}
        />
      )}
    </>
  )
}

type RowsProps<Item extends Row> = Omit<VirtualRowsProps<Item>, 'empty'> & { items: Item[] }

function Rows<Item extends Row>({ items, query, label, rowHeight, children }: RowsProps<Item>) {
  const list = useRef<HTMLDivElement>(null)
  const [top, setTop] = useState(0)
  useLayoutEffect(() => setTop(list.current?.offsetTop ?? 0), [])
  // Another function would have every row measured anew.
  const getItemKey = useCallback((index: number) => items[index]?.id ?? index, [items])
  const rows = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => rowHeight,
    getItemKey,
    overscan: 8,
    scrollMargin: top,
  })
  const shown = rows.getVirtualItems()
  useNextPage(query, shown.at(-1)?.index ?? 0, items.length)
  return (
    <div ref={list} className={classes.list} style={{ height: rows.getTotalSize() }}>
      <ul
        aria-label={label}
        className={classes.rows}
        style={{ translate: `0 ${(shown[0]?.start ?? top) - top}px` }}
      >
        {shown.map(({ index, key }) => {
          const item = items[index]
          return (
            <li
              key={key}
              ref={rows.measureElement}
              data-index={index}
              aria-posinset={index + 1}
              aria-setsize={query.hasNextPage ? -1 : items.length}
            >
              {item !== undefined && children(item)}
            </li>
          )
        })}
      </ul>
    </div>
  )
}

type Pages = Pick<UseInfiniteQueryResult, 'hasNextPage' | 'isFetchingNextPage' | 'isError' | 'fetchNextPage'>

function useNextPage(
  { hasNextPage, isFetchingNextPage, isError, fetchNextPage }: Pages,
  last: number,
  count: number,
) {
  const isNear = last >= count - ahead
  useEffect(() => {
    if (isNear && hasNextPage && !isFetchingNextPage && !isError) void fetchNextPage()
  }, [isNear, hasNextPage, isFetchingNextPage, isError, fetchNextPage])
}
