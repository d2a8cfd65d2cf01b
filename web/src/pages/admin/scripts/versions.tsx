import { Button, Group, NativeSelect, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'

import type { ScriptTask, ScriptTaskVersion } from '../../../../../domain/script-task.ts'
import { identitiesQuery, versionsQuery } from '../../../admin/queries.ts'
import { Table, type Column } from '../../../admin/table.tsx'
import { Instant } from '../../../ui/instant.tsx'
import { Arriving, Loading } from '../../../ui/states.tsx'
import { Revert } from './revert.tsx'
import { SettingsDiff } from './settings-diff.tsx'

const DiffView = lazy(() => import('./editor/diff-view.tsx').then(({ DiffView }) => ({ default: DiffView })))

type VersionsProps = { task: ScriptTask; onReverted: () => void }

/** Every save, what it changed, and the way back. */
export function Versions({ task, onReverted }: VersionsProps) {
  const versions = useQuery(versionsQuery(task.id))
  return (
    <Arriving query={versions}>
      {(versions) => <VersionList task={task} versions={versions} onReverted={onReverted} />}
    </Arriving>
  )
}

type Compared = { version: number; against: number }

function VersionList({ task, versions, onReverted }: VersionsProps & { versions: ScriptTaskVersion[] }) {
  const { data: identities = [] } = useQuery(identitiesQuery)
  const latest = versions[0]?.version ?? 1
  const [compared, setCompared] = useState<Compared>({ version: latest, against: Math.max(latest - 1, 1) })
  const columns: Column<ScriptTaskVersion>[] = [
    {
      name: 'Version',
      cell: ({ version }) => `${version}${version === task.version ? ', in use' : ''}`,
    },
    { name: 'Saved', cell: ({ created_at }) => <Instant at={created_at} /> },
    {
      name: 'By',
      cell: ({ created_by }) => identities.find(({ id }) => id === created_by)?.email ?? 'the installation',
    },
    {
      name: 'What to do',
      cell: ({ version }) => (
        <Group gap="xs">
          {version > 1 && (
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => setCompared({ version, against: version - 1 })}
            >
              {`What version ${version} changed`}
            </Button>
          )}
          {version !== task.version && <Revert task={task} version={version} onReverted={onReverted} />}
        </Group>
      ),
    },
  ]
  return (
    <Stack gap="lg">
      <Table label="Versions" columns={columns} items={versions} keyOf={({ version }) => String(version)} />
      {versions.length > 1 && (
        <Comparison versions={versions} compared={compared} onChange={setCompared} task_id={task.id} />
      )}
    </Stack>
  )
}

type ComparisonProps = {
  task_id: string
  versions: ScriptTaskVersion[]
  compared: Compared
  onChange: (compared: Compared) => void
}

function Comparison({ task_id, versions, compared, onChange }: ComparisonProps) {
  const scriptOf = (wanted: number) => versions.find(({ version }) => version === wanted)?.script ?? ''
  const data = versions.map(({ version }) => ({ value: String(version), label: `Version ${version}` }))
  const [before, after] = [scriptOf(compared.against), scriptOf(compared.version)]
  return (
    <Stack gap="md">
      <Group gap="md" align="flex-end">
        <NativeSelect
          label="From"
          data={data}
          value={String(compared.against)}
          onChange={({ currentTarget }) => onChange({ ...compared, against: Number(currentTarget.value) })}
        />
        <NativeSelect
          label="To"
          data={data}
          value={String(compared.version)}
          onChange={({ currentTarget }) => onChange({ ...compared, version: Number(currentTarget.value) })}
        />
      </Group>
      {before === after ? (
        <Text role="status">The scripts of both are the same.</Text>
      ) : (
        <Suspense fallback={<Loading rows={1} height={240} />}>
          <DiffView
            before={before}
            after={after}
            label={`Script: from version ${compared.against} to version ${compared.version}`}
          />
        </Suspense>
      )}
      <SettingsDiff task_id={task_id} {...compared} />
    </Stack>
  )
}
