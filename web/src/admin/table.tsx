import type { ReactNode } from 'react'

import classes from './table.module.css'

export type Column<Item> = { name: string; cell: (item: Item) => ReactNode }

type TableProps<Item> = {
  label: string
  columns: Column<Item>[]
  items: Item[]
  keyOf: (item: Item) => string
}

/** A table; on a narrow screen each row is a block of names and values. */
export function Table<Item>({ label, columns, items, keyOf }: TableProps<Item>) {
  return (
    <table aria-label={label} className={classes.table}>
      <thead>
        <tr>
          {columns.map(({ name }) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr key={keyOf(item)}>
            {columns.map(({ name, cell }) => (
              <td key={name} data-name={name}>
                {cell(item)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
