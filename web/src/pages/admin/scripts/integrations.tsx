import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import type { ScriptTask } from '../../../../../domain/script-task.ts'
import { scriptsQuery } from '../../../admin/queries.ts'
import { Section } from '../../../admin/section.tsx'
import { Table, type Column } from '../../../admin/table.tsx'
import { LinkButton } from '../../../ui/link-button.tsx'
import { Page } from '../../../ui/page.tsx'
import { Arriving, Empty } from '../../../ui/states.tsx'
import { eventNames } from './running.tsx'
import { saySchedule } from './say-schedule.ts'
import { StateMark } from './scripts.tsx'

const columns: Column<ScriptTask>[] = [
  {
    name: 'Script',
    cell: ({ id, name }) => (
      <Link to="/scripts/$taskId" params={{ taskId: id }}>
        {name}
      </Link>
    ),
  },
  { name: 'State', cell: (task) => <StateMark task={task} /> },
  { name: 'Hosts', cell: ({ egress_hosts }) => egress_hosts.join(', ') || 'None' },
  {
    name: 'Deliveries',
    cell: ({ id, name }) => (
      <Link to="/scripts/$taskId" params={{ taskId: id }} search={{ part: 'deliveries' }}>
        See those of {name}
      </Link>
    ),
  },
]

/** What leaves Hallpass by itself: which script hears of which event, and which ones a clock starts. */
export function Integrations() {
  const scripts = useQuery(scriptsQuery)
  return (
    <Page
      title="Integrations"
      about="The scripts that hear of the events of every request, event by event. Bind one on its own page."
      actions={<LinkButton to="/scripts/new">New script</LinkButton>}
      wide
    >
      <Arriving query={scripts}>{(tasks) => <Bindings tasks={tasks} />}</Arriving>
    </Page>
  )
}

function Bindings({ tasks }: { tasks: ScriptTask[] }) {
  const isBound = tasks.some(({ events }) => events.length > 0)
  const timed = tasks.filter(({ schedule_type }) => schedule_type !== 'once')
  return (
    <>
      {!isBound && (
        <Empty title="No script hears of events yet.">
          Open one of the <Link to="/scripts">scripts</Link> and tick the events that it should hear of.
        </Empty>
      )}
      {Object.entries(eventNames).map(([event, label]) => (
        <Section key={event} title={label} about={<code>{event}</code>}>
          <Bound label={label} tasks={tasks.filter(({ events }) => events.some((each) => each === event))} />
        </Section>
      ))}
      <Section title="Schedules" about="Scripts that a clock starts.">
        {timed.length === 0 ? (
          <Text c="dimmed">None.</Text>
        ) : (
          <Table
            label="Schedules"
            columns={[...columns.slice(0, 2), { name: 'When', cell: saySchedule }]}
            items={timed}
            keyOf={({ id }) => id}
          />
        )}
      </Section>
    </>
  )
}

function Bound({ label, tasks }: { label: string; tasks: ScriptTask[] }) {
  if (tasks.length === 0) return <Text c="dimmed">No script hears of it.</Text>
  return <Table label={label} columns={columns} items={tasks} keyOf={({ id }) => id} />
}
