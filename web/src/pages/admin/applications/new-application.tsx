import { useNavigate } from '@tanstack/react-router'

import { useForm } from '../../../admin/use-form.ts'
import { send } from '../../../api/call.ts'
import { Page } from '../../../ui/page.tsx'
import { ApplicationForm, bodyOf, emptyApplication } from './application-form.tsx'

export function NewApplication() {
  const navigate = useNavigate()
  const { form } = useForm({
    initial: emptyApplication,
    write: (draft) => send('POST /applications', { body: bodyOf(draft) }),
    keys: ['applications'],
    said: 'The application is made. Now add its mappings.',
    onSaved: ({ body }) =>
      void navigate({ to: '/applications/$applicationId', params: { applicationId: body.id } }),
  })
  return (
    <Page title="New application" about="A system that access is granted in.">
      <ApplicationForm form={form} label="Create application" />
    </Page>
  )
}
