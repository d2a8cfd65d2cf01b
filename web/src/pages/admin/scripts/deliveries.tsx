import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import type { ShownDelivery } from '../../../../../domain/delivery.ts'
import { deliveriesQuery } from '../../../admin/queries.ts'
import { Instant } from '../../../ui/instant.tsx'
import { Mark } from '../../../ui/marks.tsx'
import { Empty } from '../../../ui/states.tsx'
import { VirtualRows } from '../../../ui/virtual-rows.tsx'
import { eventNames } from './running.tsx'
import classes from './run-view.module.css'

const tones = {
  waiting: 'waiting',
  started: 'waiting',
  succeeded: 'good',
  failed: 'bad',
  skipped: 'neutral',
} as const

/** The events on their way to a script, newest first. */
export function Deliveries({ task_id }: { task_id: string }) {
  const query = useInfiniteQuery(deliveriesQuery(task_id))
  return (
    <VirtualRows
      query={query}
      label="Deliveries"
      rowHeight={84}
      empty={
        <Empty title="No event has been on its way to it yet.">
          Bind it to events of every request under “Script and settings”.
        </Empty>
      }
    >
      {(delivery) => <Delivery delivery={delivery} />}
    </VirtualRows>
  )
}

function Delivery({ delivery }: { delivery: ShownDelivery }) {
  const { event_type, state, attempts, request_id, created_at, finished_at } = delivery
  return (
    <article className={classes.run}>
      <div>
        <Mark tone={tones[state]}>{state}</Mark> {eventNames[event_type]}, {attempts}{' '}
        {attempts === 1 ? 'attempt' : 'attempts'}
        {state === 'skipped' && ': the script was disabled or unbound before its turn came'}
      </div>
      <div>
        <Link to="/requests/$requestId" params={{ requestId: request_id }}>
          The request
        </Link>
        , <Instant at={created_at} />
        {finished_at !== null && (
          <>
            , done <Instant at={finished_at} />
          </>
        )}
      </div>
    </article>
  )
}
