import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import type { Identity } from '../../../../../domain/directory.ts'
import { identitiesQuery } from '../../../admin/queries.ts'
import { SearchableTable } from '../../../admin/searchable-table.tsx'
import type { Column } from '../../../admin/table.tsx'
import { Instant } from '../../../ui/instant.tsx'
import { LinkButton } from '../../../ui/link-button.tsx'
import { Mark } from '../../../ui/marks.tsx'
import { Page } from '../../../ui/page.tsx'
import { Arriving, Empty } from '../../../ui/states.tsx'
import { sayKind } from './identity-draft.ts'

function columnsFor(identities: Identity[]): Column<Identity>[] {
  const emails = new Map(identities.map(({ id, email }) => [id, email]))
  return [
    {
      name: 'Name',
      cell: ({ id, display_name }) => (
        <Link to="/identities/$identityId" params={{ identityId: id }}>
          {display_name}
        </Link>
      ),
    },
    { name: 'Address', cell: ({ email }) => email },
    { name: 'Kind', cell: ({ kind }) => sayKind(kind) },
    {
      name: 'State',
      cell: ({ status }) =>
        status === 'active' ? <Mark tone="good">Active</Mark> : <Mark tone="bad">Disabled</Mark>,
    },
    { name: 'Owner', cell: ({ owner_id }) => (owner_id === null ? '—' : emails.get(owner_id)) },
    {
      name: 'Ends',
      cell: ({ expires_at }) => (expires_at === null ? 'Never' : <Instant at={expires_at} />),
    },
  ]
}

export function Identities() {
  const identities = useQuery(identitiesQuery)
  return (
    <Page
      title="Identities"
      about="People, and the machines that act by themselves, each with an owner."
      actions={<LinkButton to="/identities/new">New identity</LinkButton>}
      wide
    >
      <Arriving query={identities}>
        {(items) => (
          <SearchableTable
            label="Identities"
            columns={columnsFor(items)}
            items={items.toSorted((one, other) => one.display_name.localeCompare(other.display_name))}
            keyOf={({ id }) => id}
            textOf={({ display_name, email, kind, status }) =>
              `${display_name} ${email} ${sayKind(kind)} ${status}`
            }
            empty={<Empty title="There is nobody yet.">Make the first identity.</Empty>}
          />
        )}
      </Arriving>
    </Page>
  )
}
