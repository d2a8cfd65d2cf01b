import { Link } from '@tanstack/react-router'

import type { AccessRequest } from '../../../../../domain/access-request.ts'
import { inWords } from '../../../ui/durations.ts'
import { Instant } from '../../../ui/instant.tsx'
import { StatusMark } from '../../../ui/marks.tsx'
import classes from './history.module.css'

const decisions = { approved: 'Approved', denied: 'Denied', cancelled: 'Cancelled' } as const

function whoDecided({ decision, decision_source, decided_by_email }: AccessRequest): string {
  if (decision === null || decision === 'cancelled') return ''
  return decision_source === 'auto' ? ' automatically' : ` by ${decided_by_email ?? 'somebody who is gone'}`
}

/** The names of the columns; every row repeats its own for those who hear it. */
export function HistoryHead() {
  return (
    <div className={classes.head} aria-hidden="true">
      <span>Request</span>
      <span>Requester</span>
      <span>Status</span>
      <span>Decision</span>
      <span>Asked</span>
    </div>
  )
}

export function HistoryRow({ request }: { request: AccessRequest }) {
  const { id, template_name, template_deleted, requester_email, subject_name, requester_name } = request
  return (
    <article className={classes.row}>
      <div>
        <Link to="/requests/$requestId" params={{ requestId: id }}>
          {template_name}
        </Link>
        {template_deleted && <span className={classes.note}> (deleted template)</span>}
        <div className={classes.note}>
          {request.app_name}, {inWords(request.requested_duration_mins)}
        </div>
      </div>
      <div data-name="Requester">
        {requester_email}
        {subject_name !== requester_name && <div className={classes.note}>for {subject_name}</div>}
      </div>
      <div data-name="Status">
        <StatusMark request={{ status: request.status, decision: null }} />
      </div>
      <div data-name="Decision">
        {request.decision === null ? '—' : decisions[request.decision]}
        <span className={classes.note}>{whoDecided(request)}</span>
      </div>
      <div data-name="Asked">
        <Instant at={request.created_at} />
      </div>
    </article>
  )
}
