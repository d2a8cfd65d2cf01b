import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import type { Application } from '../../../../../domain/directory.ts'
import { applicationsQuery, groupsQuery } from '../../../admin/queries.ts'
import { SearchableTable } from '../../../admin/searchable-table.tsx'
import type { Column } from '../../../admin/table.tsx'
import { LinkButton } from '../../../ui/link-button.tsx'
import { Page } from '../../../ui/page.tsx'
import { Arriving, Empty } from '../../../ui/states.tsx'

export function Applications() {
  const applications = useQuery(applicationsQuery)
  const { data: groups = [] } = useQuery(groupsQuery)
  const columns: Column<Application>[] = [
    {
      name: 'Name',
      cell: ({ id, name }) => (
        <Link to="/applications/$applicationId" params={{ applicationId: id }}>
          {name}
        </Link>
      ),
    },
    { name: 'Slug', cell: ({ slug }) => <code>{slug}</code> },
    {
      name: 'Owned by',
      cell: ({ owner_group_id }) => groups.find(({ id }) => id === owner_group_id)?.name ?? 'No group',
    },
    { name: 'Description', cell: ({ description }) => description || '—' },
  ]
  return (
    <Page
      title="Applications"
      about="The systems that access is granted in, and what can be granted there."
      actions={<LinkButton to="/applications/new">New application</LinkButton>}
      wide
    >
      <Arriving query={applications}>
        {(items) => (
          <SearchableTable
            label="Applications"
            columns={columns}
            items={items.toSorted((one, other) => one.name.localeCompare(other.name))}
            keyOf={({ id }) => id}
            textOf={({ name, slug, description }) => `${name} ${slug} ${description}`}
            empty={
              <Empty title="There is no application yet.">
                <Link to="/applications/new">Make the first one</Link>, then its mappings: templates grant
                them.
              </Empty>
            }
          />
        )}
      </Arriving>
    </Page>
  )
}
