import { useNavigate } from '@tanstack/react-router'

import { useForm } from '../../../admin/use-form.ts'
import { send } from '../../../api/call.ts'
import { Page } from '../../../ui/page.tsx'
import { bodyOf } from './identity-body.ts'
import { emptyIdentity } from './identity-draft.ts'
import { IdentityForm } from './identity-form.tsx'

export function NewIdentity() {
  const navigate = useNavigate()
  const { form } = useForm({
    initial: emptyIdentity,
    write: (draft) => send('POST /identities', { body: bodyOf(draft) }),
    keys: ['identities'],
    said: 'The identity is made.',
    onSaved: ({ body }) => void navigate({ to: '/identities/$identityId', params: { identityId: body.id } }),
  })
  return (
    <Page title="New identity" about="A person, or a machine with somebody who answers for it.">
      <IdentityForm form={form} label="Create identity" />
    </Page>
  )
}
