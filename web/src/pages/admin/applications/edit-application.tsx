import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'

import type { Application } from '../../../../../domain/directory.ts'
import { Conflict } from '../../../admin/conflict.tsx'
import { DeleteButton } from '../../../admin/delete-button.tsx'
import { Opened } from '../../../admin/opened.tsx'
import { applicationQuery, type Versioned } from '../../../admin/queries.ts'
import { useEdit } from '../../../admin/use-form.ts'
import { call, send } from '../../../api/call.ts'
import { queryClient } from '../../../api/query-client.ts'
import { Page } from '../../../ui/page.tsx'
import { ApplicationForm, bodyOf, draftOfApplication } from './application-form.tsx'
import { Mappings } from './mappings.tsx'

export function EditApplication() {
  const { applicationId } = useParams({ from: '/shell/applications-manage/applications/$applicationId' })
  const query = useQuery(applicationQuery(applicationId))
  return (
    <Opened query={query} title="Application" list={{ to: '/applications', label: 'the applications' }}>
      {(loaded) => <Editor key={applicationId} loaded={loaded} />}
    </Opened>
  )
}

function Editor({ loaded }: { loaded: Versioned<Application> }) {
  const { id } = loaded.resource
  const edit = useEdit({
    loaded,
    toDraft: draftOfApplication,
    write: (draft, etag) =>
      send('PUT /applications/{id}', { params: { id }, body: bodyOf(draft), if_match: etag }),
    keys: ['applications', 'catalogue'],
  })
  return (
    <Page title={edit.base.name} actions={<Deletion application={edit.base} />}>
      <ApplicationForm form={edit.form} label="Save application" />
      <Conflict edit={edit} read={() => queryClient.fetchQuery({ ...applicationQuery(id), staleTime: 0 })} />
      <Mappings app_id={id} />
    </Page>
  )
}

function Deletion({ application: { id, name } }: { application: Application }) {
  const navigate = useNavigate()
  return (
    <DeleteButton
      question={`Delete “${name}”?`}
      consequence="Its mappings go with it. While a template, a group or an open request refers to it, it cannot be deleted."
      said="The application is deleted."
      keys={[]}
      remove={() => call('DELETE /applications/{id}', { params: { id } })}
      onDeleted={() => void navigate({ to: '/applications' })}
    />
  )
}
