import { Stack } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'

import { useForm } from '../../../admin/use-form.ts'
import { send } from '../../../api/call.ts'
import { Page } from '../../../ui/page.tsx'
import { emptyScript, fieldsOf } from './script-draft.ts'
import { ScriptForm } from './script-form.tsx'
import { TestRun } from './test-run.tsx'

export function NewScript() {
  const navigate = useNavigate()
  const { form } = useForm({
    initial: emptyScript,
    write: (draft) => send('POST /scheduled-tasks', { body: fieldsOf(draft) }),
    keys: ['scripts'],
    said: 'The script is made.',
    onSaved: ({ body }) => void navigate({ to: '/scripts/$taskId', params: { taskId: body.id } }),
  })
  return (
    <Page title="New script" about="Code of yours that runs when something happens to a request." wide>
      <Stack gap="xl">
        <ScriptForm form={form} isNew />
        <TestRun fieldsNow={() => fieldsOf(form.draft)} />
      </Stack>
    </Page>
  )
}
