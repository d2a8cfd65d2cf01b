import { Checkbox, NativeSelect, Stack, TextInput } from '@mantine/core'

import type { Scope } from '../../../../../domain/session.ts'
import { SaveBar } from '../../../admin/save-bar.tsx'
import { Section } from '../../../admin/section.tsx'
import { errorIn, useForm } from '../../../admin/use-form.ts'
import { send } from '../../../api/call.ts'

type Draft = { name: string; scopes: Scope[]; days: string }

const scopes: Record<Scope, string> = {
  read: 'Read whatever you may read',
  request: 'Ask for access, take it back, write messages',
  decide: 'Approve, deny and revoke',
  token: 'Get tokens for applications, with all that you hold there',
  admin: 'Every other write that you may make',
}
const isScope = (text: string): text is Scope => Object.hasOwn(scopes, text)

const lives = [
  { value: '7', label: 'In 7 days' },
  { value: '30', label: 'In 30 days' },
  { value: '90', label: 'In 90 days' },
  { value: '364', label: 'In a year' },
]

const endOf = (days: string): string => new Date(Date.now() + Number(days) * 86_400_000).toISOString()

const initial: Draft = { name: '', scopes: ['read'], days: '30' }

export function AccessTokenForm({ onMade }: { onMade: (token: string) => void }) {
  const { form } = useForm({
    initial,
    write: ({ name, scopes, days }) =>
      send('POST /personal-access-tokens', { body: { name, scopes, expires_at: endOf(days) } }),
    keys: ['personal-access-tokens'],
    said: 'The token is made.',
    onSaved: ({ body }) => onMade(body.token),
  })
  const { draft, set, errors } = form
  return (
    <Section title="New token">
      <form ref={form.ref} noValidate onSubmit={form.onSubmit} aria-label="Access token">
        <Stack gap="md">
          <TextInput
            label="Name"
            description="What uses it."
            required
            value={draft.name}
            error={errors['/name']}
            onChange={({ currentTarget }) => set({ name: currentTarget.value })}
          />
          <Checkbox.Group
            label="What it may do"
            error={errorIn(errors, '/scopes')}
            value={draft.scopes}
            onChange={(values) => set({ scopes: values.filter(isScope) })}
          >
            <Stack gap="xs" mt="xs">
              {Object.entries(scopes).map(([scope, meaning]) => (
                <Checkbox key={scope} value={scope} label={scope} description={meaning} />
              ))}
            </Stack>
          </Checkbox.Group>
          <NativeSelect
            label="It ends"
            data={lives}
            value={draft.days}
            error={errors['/expires_at']}
            onChange={({ currentTarget }) => set({ days: currentTarget.value })}
          />
          <SaveBar form={form} label="Make token" />
        </Stack>
      </form>
    </Section>
  )
}
