import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import { Table, type Column } from '../../../admin/table.tsx'
import { call } from '../../../api/call.ts'
import { Arriving } from '../../../ui/states.tsx'

type Setting = { name: string; from: unknown; to: unknown }

const say = (value: unknown): string =>
  value === null || value === undefined ? '—' : typeof value === 'string' ? value : JSON.stringify(value)

const columns: Column<Setting>[] = [
  { name: 'Setting', cell: ({ name }) => name.replaceAll('_', ' ') },
  { name: 'Before', cell: ({ from }) => say(from) },
  { name: 'After', cell: ({ to }) => say(to) },
]

/** What beside the script differs between two versions. */
export function SettingsDiff({
  task_id,
  version,
  against,
}: {
  task_id: string
  version: number
  against: number
}) {
  const diff = useQuery({
    queryKey: ['scripts', task_id, 'diff', version, against],
    queryFn: ({ signal }) =>
      call('GET /scheduled-tasks/{id}/versions/{version}/diff', {
        params: { id: task_id, version: String(version) },
        query: { against },
        signal,
      }),
  })
  return (
    <Arriving query={diff} rows={1}>
      {({ settings }) =>
        settings.length === 0 ? (
          <Text c="dimmed">The settings of both are the same.</Text>
        ) : (
          <Table label="Settings that differ" columns={columns} items={settings} keyOf={({ name }) => name} />
        )
      }
    </Arriving>
  )
}
