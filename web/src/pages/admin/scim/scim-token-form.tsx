import { Checkbox, Stack, TextInput, Title } from '@mantine/core'

import { MomentInput } from '../../../admin/moment-input.tsx'
import { SaveBar } from '../../../admin/save-bar.tsx'
import { useForm } from '../../../admin/use-form.ts'
import { send } from '../../../api/call.ts'

type Draft = { name: string; may_manage_privileged_groups: boolean; expires_at: string | null }

const empty: Draft = { name: '', may_manage_privileged_groups: false, expires_at: null }

export function ScimTokenForm({ onMade }: { onMade: (token: string) => void }) {
  const { form } = useForm({
    initial: empty,
    write: (body) => send('POST /scim-tokens', { body }),
    keys: ['scim-tokens'],
    said: 'The token is made.',
    onSaved: ({ body }) => onMade(body.token),
  })
  const { draft, set, errors } = form
  return (
    <form ref={form.ref} noValidate onSubmit={form.onSubmit} aria-label="SCIM token">
      <Stack gap="sm">
        <Title order={3} size="h5">
          New token
        </Title>
        <TextInput
          label="Name"
          required
          value={draft.name}
          error={errors['/name']}
          onChange={({ currentTarget }) => set({ name: currentTarget.value })}
        />
        <Checkbox
          label="It may fill groups that carry permissions or own applications"
          description="Then whoever runs the provider can make admins here."
          checked={draft.may_manage_privileged_groups}
          onChange={({ currentTarget }) => set({ may_manage_privileged_groups: currentTarget.checked })}
        />
        <MomentInput
          label="Ends"
          description="Empty: it does not end by itself."
          at={draft.expires_at}
          error={errors['/expires_at']}
          onChange={(expires_at) => set({ expires_at })}
        />
        <SaveBar form={form} label="Make token" />
      </Stack>
    </form>
  )
}
