import { PasswordInput, Stack, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import type { Secret } from '../../../../../domain/secret.ts'
import { DeleteButton } from '../../../admin/delete-button.tsx'
import { linesOf } from '../../../admin/lines.ts'
import { secretsQuery } from '../../../admin/queries.ts'
import { SaveBar } from '../../../admin/save-bar.tsx'
import { SearchableTable } from '../../../admin/searchable-table.tsx'
import { Section } from '../../../admin/section.tsx'
import type { Column } from '../../../admin/table.tsx'
import { errorIn, useForm } from '../../../admin/use-form.ts'
import { call, send } from '../../../api/call.ts'
import { Instant } from '../../../ui/instant.tsx'
import { Page } from '../../../ui/page.tsx'
import { Arriving, Empty } from '../../../ui/states.tsx'

const columns: Column<Secret>[] = [
  { name: 'Name', cell: ({ name }) => <code>{name}</code> },
  { name: 'Sent to', cell: ({ hosts }) => hosts.join(', ') || 'No host: it is of no use yet' },
  { name: 'Made', cell: ({ created_at }) => <Instant at={created_at} /> },
  { name: 'Replaced', cell: ({ updated_at }) => <Instant at={updated_at} /> },
  { name: 'What to do', cell: (secret) => <Deletion secret={secret} /> },
]

export function Secrets() {
  const secrets = useQuery(secretsQuery)
  const [saves, setSaves] = useState(0)
  return (
    <Page
      title="Secrets"
      about="What scripts send without seeing it. A value is written here and never shown again."
    >
      <Arriving query={secrets}>
        {(items) => (
          <SearchableTable
            label="Secrets"
            columns={columns}
            items={items}
            keyOf={({ name }) => name}
            textOf={({ name, hosts }) => [name, ...hosts].join(' ')}
            empty={
              <Empty title="There is no secret yet.">
                Keep the first one below, and read it in a script with secrets.get.
              </Empty>
            }
          />
        )}
      </Arriving>
      <SecretForm key={saves} onSaved={() => setSaves(saves + 1)} />
    </Page>
  )
}

function Deletion({ secret: { name } }: { secret: Secret }) {
  return (
    <DeleteButton
      label={`Delete ${name}`}
      question={`Delete ${name}?`}
      consequence="Scripts that name it fail from now on. The value cannot be brought back."
      said="The secret is deleted."
      keys={['secrets']}
      size="xs"
      remove={() => call('DELETE /secrets/{name}', { params: { name } })}
    />
  )
}

function SecretForm({ onSaved }: { onSaved: () => void }) {
  const { form } = useForm({
    initial: { name: '', value: '', hosts: '' },
    write: ({ name, value, hosts }) =>
      send('PUT /secrets/{name}', { params: { name }, body: { value, hosts: linesOf(hosts) } }),
    keys: ['secrets'],
    said: 'The secret is kept.',
    onSaved,
  })
  const { draft, set, errors } = form
  return (
    <Section
      title="Keep or replace a secret"
      about="A name that is there already gets the new value and hosts."
    >
      <form ref={form.ref} noValidate onSubmit={form.onSubmit} aria-label="Secret" autoComplete="off">
        <Stack gap="md">
          <TextInput
            label="Name"
            description="Letters, digits and underscores, such as SLACK_WEBHOOK."
            required
            value={draft.name}
            error={errors['/name']}
            onChange={({ currentTarget }) => set({ name: currentTarget.value })}
          />
          <PasswordInput
            label="Value"
            required
            autoComplete="new-password"
            visibilityToggleButtonProps={{ 'aria-label': 'Show what I typed' }}
            value={draft.value}
            error={errors['/value']}
            onChange={({ currentTarget }) => set({ value: currentTarget.value })}
          />
          <Textarea
            label="Hosts that it may be sent to, one a line"
            rows={2}
            value={draft.hosts}
            error={errorIn(errors, '/hosts')}
            onChange={({ currentTarget }) => set({ hosts: currentTarget.value })}
          />
          <SaveBar
            form={form}
            label="Keep secret"
            {...(draft.name === '' && { blocked: 'Name it first.' })}
          />
        </Stack>
      </form>
    </Section>
  )
}
