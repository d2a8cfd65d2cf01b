import { Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'

import type { Template } from '../../../../../domain/template.ts'
import { Conflict } from '../../../admin/conflict.tsx'
import { DeleteButton } from '../../../admin/delete-button.tsx'
import { Opened } from '../../../admin/opened.tsx'
import { templateQuery, type Versioned } from '../../../admin/queries.ts'
import { useEdit } from '../../../admin/use-form.ts'
import { call, send } from '../../../api/call.ts'
import { queryClient } from '../../../api/query-client.ts'
import { Page } from '../../../ui/page.tsx'
import classes from './preview.module.css'
import { Preview } from './preview.tsx'
import { bodyOf, draftOfTemplate } from './template-draft.ts'
import { TemplateForm } from './template-form.tsx'

export function EditTemplate() {
  const { templateId } = useParams({ from: '/shell/templates-manage/templates/$templateId' })
  const query = useQuery(templateQuery(templateId))
  return (
    <Opened query={query} title="Template" list={{ to: '/templates', label: 'the templates' }}>
      {(loaded) => <Editor key={templateId} loaded={loaded} />}
    </Opened>
  )
}

function Editor({ loaded }: { loaded: Versioned<Template> }) {
  const { id } = loaded.resource
  const edit = useEdit({
    loaded,
    toDraft: draftOfTemplate,
    write: (draft, etag) =>
      send('PUT /access-request-templates/{id}', { params: { id }, body: bodyOf(draft), if_match: etag }),
    keys: ['templates', 'catalogue'],
  })
  return (
    <Page
      title={edit.base.name}
      about="A change is for future requests: those that exist keep the template as it was."
      actions={<Deletion template={edit.base} />}
      wide
    >
      <div className={classes.columns}>
        <Stack gap="md">
          <TemplateForm form={edit.form} isNew={false} />
          <Conflict edit={edit} read={() => queryClient.fetchQuery({ ...templateQuery(id), staleTime: 0 })} />
        </Stack>
        <Preview template={edit.form.draft} />
      </div>
    </Page>
  )
}

function Deletion({ template }: { template: Template }) {
  const navigate = useNavigate()
  return (
    <DeleteButton
      question={`Delete “${template.name}”?`}
      consequence="Nobody can ask for it any more. Closed requests keep all that they say. While a request is pending or approved, the template cannot be deleted."
      said="The template is deleted."
      keys={['catalogue']}
      remove={() => call('DELETE /access-request-templates/{id}', { params: { id: template.id } })}
      onDeleted={() => void navigate({ to: '/templates' })}
    />
  )
}
