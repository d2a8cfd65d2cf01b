import { Stack, Text } from '@mantine/core'

import type { BlockRun } from '../../../domain/access-request.ts'
import { useNow } from '../ui/ticker.ts'
import classes from './block-run-progress.module.css'

/** The script that an approval waits for: which, since when, and how much of its time is gone. */
export function BlockRunProgress({ run }: { run: BlockRun }) {
  const total = Math.round((Date.parse(run.deadline) - Date.parse(run.started_at)) / 1_000)
  const gone = Math.min(total, Math.max(0, Math.floor((useNow() - Date.parse(run.started_at)) / 1_000)))
  return (
    <Stack gap={6} className={classes.run}>
      <Text fw={600}>The script “{run.task_name}” is checking this approval</Text>
      <progress className={classes.bar} max={total} value={gone} aria-label="Time of the script" />
      <Text size="sm" c="dimmed" className="tabular">
        {gone} of its {total} seconds are gone.
        {run.approver_email !== null && ` Approved by ${run.approver_email}, if the script agrees.`} Denying
        or cancelling stops it.
      </Text>
    </Stack>
  )
}
