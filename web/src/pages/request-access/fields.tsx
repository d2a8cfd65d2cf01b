import { Group, Stack, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'

import type { CatalogueEntry } from '../../../../domain/catalogue.ts'
import { call } from '../../api/call.ts'
import { fieldErrors } from '../../api/problem.ts'
import { BusyButton } from '../../ui/busy-button.tsx'
import { focusFirstInvalid } from '../../ui/focus-first-invalid.ts'
import { Refusal } from '../../ui/states.tsx'
import { submissionOf, type Draft } from './draft.ts'
import { Inputs } from './inputs.tsx'

function useSubmission(entry: CatalogueEntry) {
  const client = useQueryClient()
  const navigate = useNavigate()
  return useMutation({
    mutationFn: (draft: Draft) => call('POST /access-requests', { body: submissionOf(entry, draft) }),
    onSuccess: async ({ id, status }) => {
      const message = status === 'approved' ? 'Granted.' : 'Submitted.'
      notifications.show({ message })
      await navigate({ to: '/requests/$requestId', params: { requestId: id } })
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ['catalogue'] })
      // Read from its beginning when it is looked at again, not page by page as far as somebody had scrolled.
      client.removeQueries({ queryKey: ['requests', 'mine'], type: 'inactive' })
    },
  })
}

/** The form of a request. What the API refuses is said at its field. */
export function Fields({ entry, draft: initial }: { entry: CatalogueEntry; draft: Draft }) {
  const [draft, setDraft] = useState(initial)
  const form = useRef<HTMLFormElement>(null)
  const submission = useSubmission(entry)
  useEffect(() => {
    if (submission.error !== null) focusFirstInvalid(form.current)
  }, [submission.error])
  const errors = fieldErrors(submission.error)
  const set = (changes: Partial<Draft>) => setDraft((before) => ({ ...before, ...changes }))
  const pending = entry.subjects.find(({ id }) => id === draft.subject_id)?.pending_request_id ?? null
  return (
    <form
      ref={form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        if (pending === null) submission.mutate(draft)
      }}
    >
      <Stack gap="md">
        <Inputs entry={entry} draft={draft} errors={errors} set={set} />
        {submission.error !== null && Object.keys(errors).length === 0 && (
          <Refusal error={submission.error} />
        )}
        <Group gap="md">
          <BusyButton type="submit" disabled={pending !== null} loading={submission.isPending}>
            Submit request
          </BusyButton>
          {pending !== null && <PendingAlready id={pending} />}
        </Group>
      </Stack>
    </form>
  )
}

function PendingAlready({ id }: { id: string }) {
  return (
    <Text role="status">
      There is{' '}
      <Link to="/requests/$requestId" params={{ requestId: id }}>
        a pending request
      </Link>{' '}
      for this already. Wait for its decision, or cancel it.
    </Text>
  )
}
