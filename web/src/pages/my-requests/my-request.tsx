import { Group, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'

import type { AccessRequest } from '../../../../domain/access-request.ts'
import { useMe } from '../../api/session.ts'
import { RevokeButton } from '../../requests/revoke-button.tsx'
import { inWords } from '../../ui/durations.ts'
import { Ago, Countdown, Instant } from '../../ui/instant.tsx'
import { LinkButton } from '../../ui/link-button.tsx'
import { StatusMark } from '../../ui/marks.tsx'
import { legible } from '../../ui/words.tsx'
import classes from './my-request.module.css'

/** Where a request stands, in a sentence. */
function Standing({ request, isForMe }: { request: AccessRequest; isForMe: boolean }) {
  const { status, expires_at, ended_at, comment, revoke_comment, subject_name } = request
  if (status === 'approved' && expires_at !== null)
    return (
      <>
        {isForMe ? 'Yours' : `${subject_name} has it`} for another <Countdown to={expires_at} />
      </>
    )
  if (status === 'pending')
    return <>Waiting for a decision; asked for {inWords(request.requested_duration_mins)}</>
  const said = status === 'denied' ? comment : revoke_comment
  return (
    <>
      {ended_at !== null && <Instant at={ended_at} />}
      {said !== null && `: “${legible(said)}”`}
    </>
  )
}

export function MyRequest({ request }: { request: AccessRequest }) {
  const me = useMe()
  const { status, template_id, requester_id, subject_id } = request
  const mayRevoke = status === 'approved' || (status === 'pending' && requester_id === me.id)
  const mayAskAgain = status !== 'pending' && status !== 'approved' && requester_id === me.id
  return (
    <article className={classes.request}>
      <div className={classes.what}>
        <Group gap="sm">
          <Link to="/requests/$requestId" params={{ requestId: request.id }} className={classes.name}>
            {request.template_name}
          </Link>
          <StatusMark request={request} />
        </Group>
        <Text component="div">
          <Standing request={request} isForMe={subject_id === me.id} />
        </Text>
        <Text size="sm" c="dimmed" component="div">
          {request.app_name}
          {subject_id !== me.id && `, for ${request.subject_name}`}, asked <Ago at={request.created_at} />
        </Text>
      </div>
      <Group gap="xs" className={classes.acts}>
        {mayRevoke && <RevokeButton request={request} isMine size="xs" />}
        {mayAskAgain && template_id !== null && (
          <LinkButton
            to="/request-access/$templateId"
            params={{ templateId: template_id }}
            search={{ again: request.id }}
            variant="default"
            size="xs"
          >
            Ask again
          </LinkButton>
        )}
      </Group>
    </article>
  )
}
