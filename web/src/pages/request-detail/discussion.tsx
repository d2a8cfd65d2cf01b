import { Stack, Text, Textarea, Title } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import type { AccessRequestDetail, Message } from '../../../../domain/access-request.ts'
import { call } from '../../api/call.ts'
import { fieldErrors } from '../../api/problem.ts'
import { messagesQuery } from '../../api/queries.ts'
import { BusyButton } from '../../ui/busy-button.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Arriving, Refusal } from '../../ui/states.tsx'
import { Words } from '../../ui/words.tsx'
import classes from './request-detail.module.css'

/** What the people of a request say to each other, as it is said. */
export function Discussion({ request }: { request: AccessRequestDetail }) {
  const messages = useQuery(messagesQuery(request.id))
  return (
    <section className={classes.section} aria-labelledby="discussion">
      <Title order={2} size="h4" id="discussion">
        Discussion
      </Title>
      <Arriving query={messages} rows={1}>
        {(messages) => <Messages messages={messages} />}
      </Arriving>
      {request.actions.includes('post_message') ? (
        <Composer request_id={request.id} />
      ) : (
        <Text size="sm" c="dimmed" className="no-print">
          Requester, subject, owner and approvers write here; you read along.
        </Text>
      )}
    </section>
  )
}

function Messages({ messages }: { messages: Message[] }) {
  if (messages.length === 0) return <Text c="dimmed">Nobody has written yet.</Text>
  return (
    <ol className={classes.entries} aria-live="polite">
      {messages.map(({ id, author_email, body, created_at }) => (
        <li key={id} className={classes.message}>
          <Text size="sm" c="dimmed" component="div">
            {author_email}, <Instant at={created_at} />
          </Text>
          <Words>{body}</Words>
        </li>
      ))}
    </ol>
  )
}

function Composer({ request_id }: { request_id: string }) {
  const client = useQueryClient()
  const [body, setBody] = useState('')
  const post = useMutation({
    mutationFn: () =>
      call('POST /access-requests/{id}/messages', { params: { id: request_id }, body: { body } }),
    onSuccess: () => {
      setBody('')
      return client.invalidateQueries({ queryKey: messagesQuery(request_id).queryKey })
    },
  })
  const errors = fieldErrors(post.error)
  return (
    <form
      className="no-print"
      onSubmit={(event) => {
        event.preventDefault()
        post.mutate()
      }}
    >
      <Stack gap="xs" align="flex-start">
        <Textarea
          label="Your message"
          w="100%"
          rows={2}
          value={body}
          error={errors['/body']}
          onChange={({ currentTarget }) => setBody(currentTarget.value)}
          onKeyDown={({ key, ctrlKey, metaKey, currentTarget }) => {
            if (key === 'Enter' && (ctrlKey || metaKey)) currentTarget.form?.requestSubmit()
          }}
        />
        {post.error !== null && errors['/body'] === undefined && <Refusal error={post.error} />}
        <BusyButton type="submit" variant="default" size="sm" loading={post.isPending}>
          Send
        </BusyButton>
      </Stack>
    </form>
  )
}
