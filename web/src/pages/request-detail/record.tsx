import { Text } from '@mantine/core'
import type { ReactNode } from 'react'

import type { AccessRequestDetail } from '../../../../domain/access-request.ts'
import { answersOf } from '../../requests/answers.ts'
import { inWords } from '../../ui/durations.ts'
import { Facts } from '../../ui/facts.tsx'
import { Countdown, Instant } from '../../ui/instant.tsx'
import { Mappings } from '../../ui/mappings.tsx'
import { StatusMark } from '../../ui/marks.tsx'
import { Person } from '../../ui/words.tsx'

const inList = new Intl.ListFormat('en', { type: 'conjunction' })
const either = new Intl.ListFormat('en', { type: 'disjunction' })

function sayDecision(request: AccessRequestDetail): ReactNode {
  const { decision, decided_at, decided_by_email, decision_source } = request
  if (decision === null || decision === 'cancelled' || decided_at === null) return null
  const who =
    decision_source === 'auto' ? 'automatically' : `by ${decided_by_email ?? 'somebody who is gone'}`
  return (
    <>
      {decision === 'approved' ? 'Approved' : 'Denied'} {who}, <Instant at={decided_at} />
    </>
  )
}

function sayEnd({ status, decision, ended_at, timeline }: AccessRequestDetail): ReactNode {
  if (ended_at === null || status === 'denied') return null
  const actor = timeline.findLast(({ kind }) => kind === 'revoked')?.actor_email
  const by = actor === null || actor === undefined ? '' : ` by ${actor}`
  const what = status === 'expired' ? 'Ran out' : decision === 'cancelled' ? `Cancelled${by}` : `Revoked${by}`
  return (
    <>
      {what}, <Instant at={ended_at} />
    </>
  )
}

const sayWaiting = ({ status, approver_groups }: AccessRequestDetail): string | null =>
  status === 'pending'
    ? approver_groups.length === 0
      ? 'An admin of Hallpass'
      : `Somebody in ${either.format(approver_groups)}`
    : null

/** What an auditor asks first: who, for whom, what, why, how long, who decided, when it began and ended. */
export function Record({ request }: { request: AccessRequestDetail }) {
  const isRunning = request.status === 'approved' && request.expires_at !== null
  return (
    <Facts
      facts={[
        ['State', <StatusMark key="state" request={request} />],
        ['Time left', isRunning && <Countdown key="left" to={request.expires_at ?? ''} />],
        ['Requested by', <Person key="by" name={request.requester_name} email={request.requester_email} />],
        ['For', request.subject_id !== request.requester_id && request.subject_name],
        [`Grants in ${request.app_name}`, <Mappings key="mappings" mappings={request.mappings} />],
        ['Why', request.justification],
        ['How long', inWords(request.requested_duration_mins)],
        ['Ticket', request.ticket],
        ...answersOf(request),
        ['Asked', <Instant key="asked" at={request.created_at} />],
        ['Waits for', sayWaiting(request)],
        ['Told', inList.format(request.notified_approvers)],
        ['Escalates', request.status === 'pending' && sayEscalation(request)],
        ['Decision', sayDecision(request)],
        ['Comment', request.comment],
        ['Ends', isRunning && <Instant key="ends" at={request.expires_at ?? ''} />],
        ['Ended', sayEnd(request)],
        ['Comment at the end', request.revoke_comment],
        ['Template', request.template_deleted && <Text key="deleted">(deleted template)</Text>],
        [
          'Workflow',
          request.workflow_url !== null && <WorkflowLink key="workflow" url={request.workflow_url} />,
        ],
        ['Request', <code key="id">{request.id}</code>],
      ]}
    />
  )
}

function sayEscalation({ escalate_at, escalated_at, escalation_group }: AccessRequestDetail): ReactNode {
  if (escalate_at === null || escalated_at !== null) return null
  return (
    <>
      to {escalation_group ?? 'a group that is gone'}, <Instant at={escalate_at} />
    </>
  )
}

function WorkflowLink({ url }: { url: string }) {
  return (
    <a href={url} target="_blank" rel="noreferrer">
      Open in the Temporal UI
    </a>
  )
}
