import { Group, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'

import type { AccessRequestDetail } from '../../../../domain/access-request.ts'
import { requestQuery } from '../../api/queries.ts'
import { answersOf } from '../../requests/answers.ts'
import { DecisionForm } from '../../requests/decision-form.tsx'
import { EarlierRequests } from '../../requests/earlier-requests.tsx'
import { inWords } from '../../ui/durations.ts'
import { Facts } from '../../ui/facts.tsx'
import { Ago } from '../../ui/instant.tsx'
import { Mappings } from '../../ui/mappings.tsx'
import { StatusMark } from '../../ui/marks.tsx'
import { Arriving } from '../../ui/states.tsx'
import { useFocusLeft } from '../../ui/use-focus-left.ts'
import { legible, Person } from '../../ui/words.tsx'

type JudgeProps = { request_id: string; onDecided: () => void }

/** One request with all that a decision needs, and the decision. */
export function Judge({ request_id, onDecided }: JudgeProps) {
  const request = useQuery(requestQuery(request_id))
  return (
    <Arriving query={request} rows={5}>
      {(request) => <Judged request={request} onDecided={onDecided} />}
    </Arriving>
  )
}

function Judged({ request, onDecided }: { request: AccessRequestDetail; onDecided: () => void }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus({ preventScroll: true }), [])
  return (
    <Stack gap="md">
      <Group gap="sm">
        <Title order={2} size="h3" ref={heading} tabIndex={-1} style={{ outline: 'none' }}>
          {request.template_name}
        </Title>
        <StatusMark request={request} />
      </Group>
      <Facts facts={factsOf(request)} />
      {request.actions.includes('approve') ? (
        <Decision request={request} onDecided={onDecided} />
      ) : (
        <Settled request={request} />
      )}
      <Link to="/requests/$requestId" params={{ requestId: request.id }}>
        Everything about this request, and its discussion
      </Link>
    </Stack>
  )
}

function Decision(props: { request: AccessRequestDetail; onDecided: () => void }) {
  const place = useFocusLeft<HTMLDivElement>()
  return (
    <div ref={place}>
      <DecisionForm {...props} />
    </div>
  )
}

const factsOf = (request: AccessRequestDetail): [string, React.ReactNode][] => [
  ['Who', <Person key="who" name={request.requester_name} email={request.requester_email} />],
  ['For', request.subject_id !== request.requester_id && request.subject_name],
  [`What, in ${request.app_name}`, <Mappings key="mappings" mappings={request.mappings} />],
  ['Why', request.justification],
  ['How long', inWords(request.requested_duration_mins)],
  ['Ticket', request.ticket],
  ...answersOf(request),
  ['Asked', <Ago key="asked" at={request.created_at} />],
  ['Asked before', <EarlierRequests key="earlier" request_id={request.id} />],
]

/** Decided meanwhile, here or elsewhere. */
function Settled({ request: { status, decided_by_email, comment } }: { request: AccessRequestDetail }) {
  return (
    <Text role="status">
      This request is {status}
      {decided_by_email !== null && `, decided by ${decided_by_email}`}
      {comment !== null && `: “${legible(comment)}”`}. There is nothing left to decide.
    </Text>
  )
}
