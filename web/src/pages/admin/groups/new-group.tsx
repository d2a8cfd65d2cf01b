import { useNavigate } from '@tanstack/react-router'

import { useForm } from '../../../admin/use-form.ts'
import { send } from '../../../api/call.ts'
import { Page } from '../../../ui/page.tsx'
import { emptyGroup, GroupForm } from './group-form.tsx'

export function NewGroup() {
  const navigate = useNavigate()
  const { form } = useForm({
    initial: emptyGroup,
    write: (body) => send('POST /groups', { body }),
    keys: ['groups'],
    said: 'The group is made. Now add its members.',
    onSaved: ({ body }) => void navigate({ to: '/groups/$groupId', params: { groupId: body.id } }),
  })
  return (
    <Page title="New group">
      <GroupForm form={form} label="Create group" />
    </Page>
  )
}
