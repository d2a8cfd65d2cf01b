import { Button, Group, NativeSelect, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'

import type { CatalogueEntry } from '../../../../domain/catalogue.ts'
import { call } from '../../api/call.ts'
import { fieldErrors } from '../../api/problem.ts'
import { CustomFieldInput } from '../../requests/custom-field-input.tsx'
import { focusFirstInvalid } from '../../ui/focus-first-invalid.ts'
import { Refusal } from '../../ui/states.tsx'
import { submissionOf, type Draft } from './draft.ts'
import { DurationInput } from './duration-input.tsx'

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
        {entry.subjects.length > 1 && (
          <NativeSelect
            label="For whom"
            value={draft.subject_id}
            error={errors['/subject_id']}
            onChange={({ currentTarget }) => set({ subject_id: currentTarget.value })}
            data={entry.subjects.map(({ id, display_name }, index) => ({
              value: id,
              label: index === 0 ? `Me (${display_name})` : display_name,
            }))}
          />
        )}
        <DurationInput
          entry={entry}
          mins={draft.mins}
          error={errors['/requested_duration_mins']}
          onChange={(mins) => set({ mins })}
        />
        <Textarea
          label="Why do you need it?"
          description="Whoever decides reads this, and it stays on record."
          required={entry.require_justification}
          rows={3}
          value={draft.justification}
          error={errors['/justification']}
          onChange={({ currentTarget }) => set({ justification: currentTarget.value })}
        />
        {entry.custom_fields.map((field) => (
          <CustomFieldInput
            key={field.id}
            field={field}
            answer={draft.answers[field.id]}
            error={errors[`/custom_answers/${field.id}`]}
            onChange={(answer) => set({ answers: { ...draft.answers, [field.id]: answer } })}
          />
        ))}
        <TextInput
          label="Ticket"
          description="A change, an incident, a contract: whatever this belongs to. Optional."
          value={draft.ticket}
          error={errors['/ticket']}
          onChange={({ currentTarget }) => set({ ticket: currentTarget.value })}
        />
        {submission.error !== null && Object.keys(errors).length === 0 && (
          <Refusal error={submission.error} />
        )}
        <Group gap="md">
          <Button type="submit" disabled={pending !== null} loading={submission.isPending}>
            Submit request
          </Button>
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
