import { Button, Group, Text } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import type { Run, ScriptTask } from '../../../../../domain/script-task.ts'
import { runsOfScriptQuery } from '../../../admin/queries.ts'
import { call } from '../../../api/call.ts'
import { Instant } from '../../../ui/instant.tsx'
import { Empty, Refusal } from '../../../ui/states.tsx'
import { VirtualRows } from '../../../ui/virtual-rows.tsx'
import { Replay } from './replay.tsx'
import { RunDetails, RunSummary } from './run-view.tsx'
import classes from './run-view.module.css'

/** What a script has done so far, newest first; and a run by hand. */
export function Runs({ task, script }: { task: ScriptTask; script: string }) {
  const client = useQueryClient()
  const query = useInfiniteQuery(runsOfScriptQuery(task.id))
  const run = useMutation({
    mutationFn: () => call('POST /scheduled-tasks/{id}/run', { params: { id: task.id }, body: {} }),
    onSettled: () => client.invalidateQueries({ queryKey: ['scripts', task.id, 'runs'] }),
  })
  return (
    <>
      <Group gap="sm">
        <Button variant="default" loading={run.isPending} onClick={() => run.mutate()}>
          Run it now
        </Button>
        <Button variant="default" loading={query.isRefetching} onClick={() => void query.refetch()}>
          Look again
        </Button>
        <Text size="sm" c="dimmed">
          A run by hand runs the saved version, and makes its calls.
        </Text>
      </Group>
      {run.error !== null && <Refusal error={run.error} />}
      <VirtualRows
        query={query}
        label="Runs"
        rowHeight={90}
        empty={
          <Empty title="It has not run yet.">
            Bind it to events, name it in a template as the trigger task, give it a schedule, or run it now.
          </Empty>
        }
      >
        {(each) => <RunRow run={each} task_id={task.id} script={script} />}
      </VirtualRows>
    </>
  )
}

function RunRow({ run, task_id, script }: { run: Run; task_id: string; script: string }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <article className={classes.run}>
      <Group justify="space-between" gap="sm">
        <RunSummary run={run} />
        <Button size="compact-sm" variant="default" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? 'Less' : 'Log, calls, result'}
        </Button>
      </Group>
      {!isOpen && run.error !== null && <Text lineClamp={2}>{run.error.message}</Text>}
      <Text size="sm" c="dimmed" component="div">
        <Instant at={run.started_at} />
      </Text>
      {isOpen && <RunDetails run={run} />}
      {isOpen && run.status !== 'running' && <Replay task_id={task_id} run_id={run.id} script={script} />}
    </article>
  )
}
