import { Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'

import type { Run } from '../../../../../domain/script-task.ts'
import { Table, type Column } from '../../../admin/table.tsx'
import { Instant } from '../../../ui/instant.tsx'
import { Mark } from '../../../ui/marks.tsx'
import { legible } from '../../../ui/words.tsx'
import classes from './run-view.module.css'

const tones = { running: 'waiting', succeeded: 'good', failed: 'bad' } as const

const placeOf = ({ line, column }: NonNullable<Run['error']>): string =>
  line === null ? '' : ` (line ${line}${column === null ? '' : `, column ${column}`})`

type Call = Run['calls'][number] & { key: string }

const callColumns: Column<Call>[] = [
  {
    name: 'Call',
    cell: ({ method, host, path }) => <code>{`${method} ${host ?? ''}${path ?? ''}`}</code>,
  },
  {
    name: 'Answer',
    cell: ({ status, error, made }) =>
      made === false ? 'Written down, not made' : (error ?? (status === null ? 'None' : `Status ${status}`)),
  },
  { name: 'Time', cell: ({ ms }) => (ms === null ? '' : `${ms} ms`) },
  { name: 'Sent', cell: ({ bytes_sent }) => `${bytes_sent} bytes` },
]

/** The first line of a run: how it ended, what fired it, how long it took. */
export function RunSummary({ run }: { run: Run }) {
  return (
    <div>
      <Mark tone={tones[run.status]}>{run.status}</Mark> {run.trigger}
      {run.version > 0 && `, version ${run.version}`}
      {run.attempt > 1 && `, attempt ${run.attempt}`}
      {run.duration_ms !== null && `, ${(run.duration_ms / 1_000).toFixed(2)} s`}
      {run.status === 'failed' && run.ended_by !== null && `, ended by: ${run.ended_by}`}
    </div>
  )
}

/** All that a run left behind: error, result, log, calls. */
export function RunDetails({ run }: { run: Run }) {
  const calls = run.calls.map((call, index) => ({ ...call, key: String(index) }))
  return (
    <Stack gap="sm">
      {run.error !== null && (
        <pre className={classes.text} data-tone="bad" tabIndex={0} aria-label="Error" role="region">
          {legible(run.error.message) + placeOf(run.error)}
        </pre>
      )}
      {run.result !== null && run.result !== '' && <Block name="Result" text={run.result} />}
      {run.log.length > 0 ? (
        <Block
          name="Log"
          text={run.log
            .map(({ at_ms, level, text }) => `${Math.round(at_ms)} ms  ${level}  ${text}`)
            .join('\n')}
        />
      ) : (
        <Text size="sm" c="dimmed">
          It logged nothing.
        </Text>
      )}
      {calls.length > 0 ? (
        <Table label="Calls" columns={callColumns} items={calls} keyOf={({ key }) => key} />
      ) : (
        <Text size="sm" c="dimmed">
          It called nobody.
        </Text>
      )}
      {run.request_id !== null && (
        <Text size="sm">
          For{' '}
          <Link to="/requests/$requestId" params={{ requestId: run.request_id }}>
            this request
          </Link>
          , <Instant at={run.started_at} />
        </Text>
      )}
    </Stack>
  )
}

function Block({ name, text }: { name: string; text: string }) {
  return (
    <div>
      <Text size="sm" fw={600}>
        {name}
      </Text>
      <pre className={classes.text} tabIndex={0} role="region" aria-label={name}>
        {legible(text)}
      </pre>
    </div>
  )
}
