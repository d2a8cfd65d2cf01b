import { Button, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'

import { call } from '../../../api/call.ts'
import { Refusal } from '../../../ui/states.tsx'
import classes from './run-view.module.css'

const parts = ['result', 'log', 'calls'] as const

/** Tells the script of the form what this run was told, and shows what would be otherwise. Nothing is called. */
export function Replay({ task_id, run_id, script }: { task_id: string; run_id: string; script: string }) {
  const replay = useMutation({
    mutationFn: () =>
      call('POST /scheduled-tasks/{id}/runs/{run_id}/replay', {
        params: { id: task_id, run_id },
        body: { script },
      }),
  })
  const differences = replay.data?.differences
  const differing = parts.filter((part) => differences !== undefined && differences[part] !== '')
  return (
    <Stack gap="xs" align="flex-start">
      <Button size="compact-sm" variant="default" loading={replay.isPending} onClick={() => replay.mutate()}>
        Replay it with the script as it is in the editor
      </Button>
      {replay.error !== null && <Refusal error={replay.error} />}
      {differences !== undefined && differing.length === 0 && (
        <Text role="status">The same result, log and calls.</Text>
      )}
      {differing.map((part) => (
        <pre key={part} className={classes.text} tabIndex={0} role="region" aria-label={`Other ${part}`}>
          {`${part}\n${differences?.[part] ?? ''}`}
        </pre>
      ))}
    </Stack>
  )
}
