import { useNavigate } from '@tanstack/react-router'

import { useForm } from '../../../admin/use-form.ts'
import { send } from '../../../api/call.ts'
import { Page } from '../../../ui/page.tsx'
import classes from './preview.module.css'
import { Preview } from './preview.tsx'
import { bodyOf, emptyTemplate } from './template-draft.ts'
import { TemplateForm } from './template-form.tsx'

export function NewTemplate() {
  const navigate = useNavigate()
  const { form } = useForm({
    initial: emptyTemplate,
    write: (draft) => send('POST /access-request-templates', { body: bodyOf(draft) }),
    keys: ['templates', 'catalogue'],
    said: 'The template is made.',
    onSaved: ({ body }) => void navigate({ to: '/templates/$templateId', params: { templateId: body.id } }),
  })
  return (
    <Page title="New template" about="One kind of access: what it grants, who may ask, who decides." wide>
      <div className={classes.columns}>
        <TemplateForm form={form} isNew />
        <Preview template={form.draft} />
      </div>
    </Page>
  )
}
