import { useNavigate } from '@tanstack/react-router'

import { useForm } from '../../../admin/use-form.ts'
import { send } from '../../../api/call.ts'
import { Page } from '../../../ui/page.tsx'
import { bodyOf, emptyProvider } from './provider-draft.ts'
import { ProviderForm } from './provider-form.tsx'

export function NewProvider() {
  const navigate = useNavigate()
  const { form } = useForm({
    initial: emptyProvider,
    write: (draft) => send('POST /sign-in-providers', { body: bodyOf(draft) }),
    keys: ['sign-in-providers', 'sign-in-options'],
    said: 'The provider is added.',
    onSaved: () => void navigate({ to: '/sign-in-providers' }),
  })
  return (
    <Page title="New sign-in provider">
      <ProviderForm form={form} isNew hasSecret={false} />
    </Page>
  )
}
