import { Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'

import type { CatalogueEntry } from '../../../../domain/catalogue.ts'
import { catalogueQuery } from '../../api/queries.ts'
import { may, useMe } from '../../api/session.ts'
import { Page } from '../../ui/page.tsx'
import { Arriving, Empty } from '../../ui/states.tsx'
import { useTyped } from '../../ui/use-typed.ts'
import { CatalogueCard } from './catalogue-card.tsx'
import classes from './catalogue.module.css'

const textOf = ({ name, description, app_name, mappings }: CatalogueEntry): string =>
  [name, description, app_name, ...mappings.flatMap((mapping) => [mapping.name, mapping.value])]
    .join(' ')
    .toLowerCase()

/** Every word of the search has to be somewhere in what the entry says. */
function search(entries: CatalogueEntry[], q: string): CatalogueEntry[] {
  const words = q.toLowerCase().split(/\s+/)
  return entries
    .filter((entry) => words.every((word) => textOf(entry).includes(word)))
    .sort((one, other) => one.name.localeCompare(other.name))
}

export function Catalogue() {
  const { q = '' } = useSearch({ from: '/shell/request-access' })
  const navigate = useNavigate({ from: '/request-access' })
  const [text, type] = useTyped(q, (q) => void navigate({ search: q === '' ? {} : { q }, replace: true }))
  const catalogue = useQuery(catalogueQuery)
  return (
    <Page
      title="Request access"
      about="Choose what you need. It is yours for a while, then it ends by itself."
    >
      <TextInput
        type="search"
        label="Search"
        placeholder="A system, a role, a task"
        value={text}
        onChange={({ currentTarget }) => type(currentTarget.value)}
      />
      <Arriving query={catalogue}>{(entries) => <Entries entries={entries} q={q} />}</Arriving>
    </Page>
  )
}

function Entries({ entries, q }: { entries: CatalogueEntry[]; q: string }) {
  const open = entries.filter(({ may_request }) => may_request)
  const found = search(open, q)
  const hidden = entries.length - open.length
  if (open.length === 0) return <NothingToAsk />
  return (
    <>
      <Text role="status" size="sm" c="dimmed">
        {found.length === open.length
          ? `${open.length} to choose from`
          : `${found.length} of ${open.length} found`}
        {hidden > 0 && `; ${hidden} more for other groups than yours`}
      </Text>
      {found.length === 0 && (
        <Empty title="Nothing fits this search.">
          Try fewer or other words: names of systems, roles, tasks.
        </Empty>
      )}
      <ul className={classes.entries} aria-label="What can be asked for">
        {found.map((entry) => (
          <li key={entry.id}>
            <CatalogueCard entry={entry} />
          </li>
        ))}
      </ul>
    </>
  )
}

function NothingToAsk() {
  const isAdmin = may(useMe(), 'templates.manage')
  return (
    <Empty title="There is nothing that you can ask for yet.">
      {isAdmin
        ? 'Make a template: it says what is granted, for how long, and who decides.'
        : 'An admin of Hallpass decides what is offered to your groups: ask one.'}
    </Empty>
  )
}
