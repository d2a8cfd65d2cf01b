import { Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import type { RequestRun } from '../../../../domain/request-context.ts'
import { runsQuery } from '../../api/queries.ts'
import { Instant } from '../../ui/instant.tsx'
import { Mark } from '../../ui/marks.tsx'
import { Arriving } from '../../ui/states.tsx'
import { legible, Words } from '../../ui/words.tsx'
import classes from './request-detail.module.css'

const tones = { running: 'waiting', succeeded: 'good', failed: 'bad' } as const

/** What the scripts of this request wrote; the log is for those who may decide it. */
export function Runs({ request_id }: { request_id: string }) {
  const runs = useQuery(runsQuery(request_id))
  return (
    <section className={classes.section} aria-labelledby="runs">
      <Title order={2} size="h4" id="runs">
        Script runs
      </Title>
      <Arriving query={runs} rows={1}>
        {({ data }) =>
          data.length === 0 ? (
            <Text c="dimmed">No script ran for this request.</Text>
          ) : (
            <ol className={classes.entries}>
              {data.map((run) => (
                <li key={run.id} className={classes.message}>
                  <Run run={run} />
                </li>
              ))}
            </ol>
          )
        }
      </Arriving>
    </section>
  )
}

function Run({ run }: { run: RequestRun }) {
  const lines = run.log?.map(({ level, text }) => (level === 'info' ? text : `${level}: ${text}`)) ?? []
  const result = run.result ?? ''
  const isTold = lines.length > 0 || result !== ''
  return (
    <div className={classes.section}>
      <div>
        <Mark tone={tones[run.status]}>{run.status}</Mark> {run.task_name}, version {run.version}, for “
        {run.trigger}”{run.attempt > 1 && `, attempt ${run.attempt}`}
        {run.duration_ms !== null && `, ${(run.duration_ms / 1_000).toFixed(2)} s`}
        {run.ended_by !== null && run.status === 'failed' && `, ended by: ${run.ended_by}`}
      </div>
      {run.error !== null && <Words>{run.error.message}</Words>}
      {isTold && (
        <details>
          <summary>Log and result</summary>
          <pre
            className={classes.log}
            tabIndex={0}
            role="group"
            aria-label={`Log and result of ${run.task_name}`}
          >
            {legible([...lines, ...(result === '' ? [] : [`→ ${result}`])].join('\n'))}
          </pre>
        </details>
      )}
      <Text size="sm" c="dimmed" component="div">
        <Instant at={run.started_at} />
      </Text>
    </div>
  )
}
