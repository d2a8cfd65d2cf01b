import { Stack, Title } from '@mantine/core'

import { MomentInput } from '../../../admin/moment-input.tsx'
import { OnePersonInput } from '../../../admin/people-input.tsx'
import { SaveBar } from '../../../admin/save-bar.tsx'
import { useForm } from '../../../admin/use-form.ts'
import { send } from '../../../api/call.ts'
import { refusalAt } from '../../../api/problem.ts'

type Draft = { identity_id: string | null; expires_at: string | null }

const empty: Draft = { identity_id: null, expires_at: null }

type MemberFormProps = { group_id: string; isAgain: boolean; onAdded: () => void }

function assertSomebody(identity_id: string | null): string {
  if (identity_id === null) throw refusalAt('/identity_id', 'choose somebody of the list')
  return identity_id
}

/** Adds a member, or changes until when somebody is one. */
export function MemberForm({ group_id, isAgain, onAdded }: MemberFormProps) {
  const { form } = useForm({
    initial: empty,
    write: ({ identity_id, expires_at }) =>
      send('PUT /groups/{id}/members/{identity_id}', {
        params: { id: group_id, identity_id: assertSomebody(identity_id) },
        body: { expires_at },
      }),
    keys: ['groups', 'eligible-approvers', 'me'],
    said: 'The membership is saved.',
    onSaved: onAdded,
    takesFocus: isAgain,
  })
  const { draft, set, errors } = form
  return (
    <form ref={form.ref} noValidate onSubmit={form.onSubmit} aria-label="Member">
      <Stack gap="sm">
        <Title order={3} size="h5">
          Add a member
        </Title>
        <OnePersonInput
          label="E-mail address or handle"
          description="Somebody who is a member already gets the new end."
          required
          id={draft.identity_id}
          error={errors['/identity_id']}
          onChange={(identity_id) => set({ identity_id })}
        />
        <MomentInput
          label="Until"
          description="Empty: for good."
          at={draft.expires_at}
          error={errors['/expires_at']}
          onChange={(expires_at) => set({ expires_at })}
        />
        <SaveBar form={form} label="Add member" />
      </Stack>
    </form>
  )
}
