import { Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'

import type { AccessRequest } from '../../../../domain/access-request.ts'
import { inWords } from '../../ui/durations.ts'
import { Ago } from '../../ui/instant.tsx'
import { Mark, PrivilegeMark } from '../../ui/marks.tsx'
import classes from './waiting-request.module.css'

const levels = ['low', 'medium', 'high', 'critical'] as const

/** The highest of what is asked for. */
function highest({ mappings }: AccessRequest): string | undefined {
  return levels.findLast((level) => mappings.some(({ privilege_level }) => privilege_level === level))
}

/** A request in the list: who, what, how long, how much it allows. */
export function WaitingRequest({ request }: { request: AccessRequest }) {
  const level = highest(request)
  return (
    <Link to="/approvals/$requestId" params={{ requestId: request.id }} className={classes.waiting}>
      <span className={classes.name}>{request.template_name}</span>
      <span>
        {request.requester_name}
        {request.subject_id !== request.requester_id && ` for ${request.subject_name}`},{' '}
        {inWords(request.requested_duration_mins)}
      </span>
      <span className={classes.marks}>
        {level !== undefined && <PrivilegeMark level={level} />}
        {request.escalated_at !== null && <Mark tone="warning">Escalated</Mark>}
        <Text size="sm" c="dimmed" component="span">
          <Ago at={request.created_at} />
        </Text>
      </span>
    </Link>
  )
}
