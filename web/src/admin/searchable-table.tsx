import { Text, TextInput } from '@mantine/core'
import { useState, type ReactNode } from 'react'

import { Empty } from '../ui/states.tsx'
import { Table, type Column } from './table.tsx'

type SearchableTableProps<Item> = {
  label: string
  columns: Column<Item>[]
  items: Item[]
  keyOf: (item: Item) => string
  /** What a search looks at. */
  textOf: (item: Item) => string
  empty: ReactNode
}

/** More than anybody reads, and few enough to be shown at once. */
const shown = 200
const searchedFrom = 6

/** A table that a longer list can be searched in; every word has to be somewhere in the row. */
export function SearchableTable<Item>({ items, textOf, empty, ...table }: SearchableTableProps<Item>) {
  const [q, setQ] = useState('')
  const words = q.toLowerCase().split(/\s+/)
  const found = items.filter((item) => words.every((word) => textOf(item).toLowerCase().includes(word)))
  if (items.length === 0) return empty
  return (
    <>
      {items.length >= searchedFrom && (
        <TextInput
          type="search"
          label="Search"
          w="min(24rem, 100%)"
          value={q}
          onChange={({ currentTarget }) => setQ(currentTarget.value)}
        />
      )}
      <Text role="status" size="sm" c="dimmed">
        {found.length > shown
          ? `The first ${shown} of ${found.length}: search for the others`
          : found.length === items.length
            ? `${items.length} in all`
            : `${found.length} of ${items.length} found`}
      </Text>
      {found.length === 0 ? (
        <Empty title="Nothing fits this search.">Try fewer or other words.</Empty>
      ) : (
        <Table {...table} items={found.slice(0, shown)} />
      )}
    </>
  )
}
