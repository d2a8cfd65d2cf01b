import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import type { Group } from '../../../../../domain/directory.ts'
import { groupsQuery } from '../../../admin/queries.ts'
import { SearchableTable } from '../../../admin/searchable-table.tsx'
import type { Column } from '../../../admin/table.tsx'
import { LinkButton } from '../../../ui/link-button.tsx'
import { Page } from '../../../ui/page.tsx'
import { Arriving, Empty } from '../../../ui/states.tsx'

const columns: Column<Group>[] = [
  {
    name: 'Name',
    cell: ({ id, name }) => (
      <Link to="/groups/$groupId" params={{ groupId: id }}>
        {name}
      </Link>
    ),
  },
  { name: 'Description', cell: ({ description }) => description || '—' },
  { name: 'Permissions', cell: ({ permissions }) => permissions.join(', ') || 'None' },
  { name: 'Standing mappings', cell: ({ mapping_ids }) => String(mapping_ids.length) },
]

export function Groups() {
  const groups = useQuery(groupsQuery)
  return (
    <Page
      title="Groups"
      about="Who belongs together: who may ask, who approves, who administers."
      actions={<LinkButton to="/groups/new">New group</LinkButton>}
      wide
    >
      <Arriving query={groups}>
        {(items) => (
          <SearchableTable
            label="Groups"
            columns={columns}
            items={items.toSorted((one, other) => one.name.localeCompare(other.name))}
            keyOf={({ id }) => id}
            textOf={({ name, description, permissions }) => [name, description, ...permissions].join(' ')}
            empty={
              <Empty title="There is no group yet.">
                <Link to="/groups/new">Make the first one</Link>, and add its people.
              </Empty>
            }
          />
        )}
      </Arriving>
    </Page>
  )
}
