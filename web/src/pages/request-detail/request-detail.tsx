import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'

import type { AccessRequestDetail } from '../../../../domain/access-request.ts'
import { isProblem } from '../../api/problem.ts'
import { requestQuery } from '../../api/queries.ts'
import { useMe } from '../../api/session.ts'
import { DecisionForm } from '../../requests/decision-form.tsx'
import { RevokeButton } from '../../requests/revoke-button.tsx'
import { Page } from '../../ui/page.tsx'
import { Empty, Loading, Old, Refusal } from '../../ui/states.tsx'
import { useFocusLeft } from '../../ui/use-focus-left.ts'
import { Discussion } from './discussion.tsx'
import { Record } from './record.tsx'
import classes from './request-detail.module.css'
import { Runs } from './runs.tsx'
import { Timeline } from './timeline.tsx'

/** Tokens are minted too often for each to be told live. Where there may be one more, the page looks. */
const lookMs = 15_000

/** Everything about one request: what a reader of the record asks, and what its people can do. */
export function RequestDetail() {
  const { requestId } = useParams({ from: '/shell/requests/$requestId' })
  const request = useQuery({
    ...requestQuery(requestId),
    refetchInterval: ({ state }) => state.data?.status === 'approved' && lookMs,
  })
  if (isProblem(request.error, 'not_found')) return <NotVisible />
  if (request.data === undefined)
    return (
      <Page title="Request">
        {request.error === null ? (
          <Loading />
        ) : (
          <Refusal error={request.error} retry={() => void request.refetch()} />
        )}
      </Page>
    )
  return (
    <>
      <Old query={request} />
      <Everything request={request.data} />
    </>
  )
}

function NotVisible() {
  return (
    <Page title="Request">
      <Empty title="There is no such request, or you may not see it.">
        Who asked, who receives, who decides and auditors see a request. See{' '}
        <Link to="/my-requests">your own requests</Link>.
      </Empty>
    </Page>
  )
}

function Everything({ request }: { request: AccessRequestDetail }) {
  const me = useMe()
  const isMine = [request.requester_id, request.subject_id].some((id) => id === me.id)
  return (
    <Page
      title={request.template_name}
      actions={
        <>
          {request.actions.includes('revoke') && <RevokeButton request={request} isMine={isMine} />}
          <Button variant="default" onClick={() => print()}>
            Print
          </Button>
        </>
      }
    >
      {request.actions.includes('approve') && <Decision request={request} />}
      <Record request={request} />
      <Timeline request={request} />
      <Runs request_id={request.id} />
      <Discussion request={request} />
    </Page>
  )
}

function Decision({ request }: { request: AccessRequestDetail }) {
  const place = useFocusLeft<HTMLElement>()
  return (
    <section ref={place} aria-label="Your decision" className={`${classes.decision} no-print`}>
      <DecisionForm request={request} />
    </section>
  )
}
