import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import type { ScriptTask } from '../../../../../domain/script-task.ts'
import { scriptsQuery } from '../../../admin/queries.ts'
import { SearchableTable } from '../../../admin/searchable-table.tsx'
import type { Column } from '../../../admin/table.tsx'
import { Instant } from '../../../ui/instant.tsx'
import { LinkButton } from '../../../ui/link-button.tsx'
import { Mark } from '../../../ui/marks.tsx'
import { Page } from '../../../ui/page.tsx'
import { Arriving, Empty } from '../../../ui/states.tsx'
import { sayBinding, saySchedule } from './say-schedule.ts'

export function StateMark({ task: { enabled, disabled_reason } }: { task: ScriptTask }) {
  if (enabled) return <Mark tone="good">Enabled</Mark>
  return disabled_reason === null ? (
    <Mark>Disabled</Mark>
  ) : (
    <>
      <Mark tone="bad">Disabled by Hallpass</Mark> {disabled_reason}
    </>
  )
}

const columns: Column<ScriptTask>[] = [
  {
    name: 'Name',
    cell: ({ id, name }) => (
      <Link to="/scripts/$taskId" params={{ taskId: id }}>
        {name}
      </Link>
    ),
  },
  { name: 'State', cell: (task) => <StateMark task={task} /> },
  { name: 'Events', cell: sayBinding },
  { name: 'Schedule', cell: saySchedule },
  { name: 'Saved', cell: ({ updated_at }) => <Instant at={updated_at} /> },
]

export function Scripts() {
  const scripts = useQuery(scriptsQuery)
  return (
    <Page
      title="Scripts"
      about="Code of yours that runs when something happens to a request, or at a time."
      actions={<LinkButton to="/scripts/new">New script</LinkButton>}
      wide
    >
      <Arriving query={scripts}>
        {(items) => (
          <SearchableTable
            label="Scripts"
            columns={columns}
            items={items.toSorted((one, other) => one.name.localeCompare(other.name))}
            keyOf={({ id }) => id}
            textOf={({ name, events }) => [name, ...events].join(' ')}
            empty={
              <Empty title="There is no script yet.">
                <Link to="/scripts/new">Write the first one</Link>: the editor knows what scripts can call.
              </Empty>
            }
          />
        )}
      </Arriving>
    </Page>
  )
}
