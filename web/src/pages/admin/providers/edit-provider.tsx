import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'

import type { SignInProvider } from '../../../../../domain/sign-in-provider.ts'
import { Conflict } from '../../../admin/conflict.tsx'
import { DeleteButton } from '../../../admin/delete-button.tsx'
import { Opened } from '../../../admin/opened.tsx'
import type { Versioned } from '../../../admin/queries.ts'
import { useEdit } from '../../../admin/use-form.ts'
import { call, send } from '../../../api/call.ts'
import { queryClient } from '../../../api/query-client.ts'
import { Page } from '../../../ui/page.tsx'
import { bodyOf, draftOfProvider } from './provider-draft.ts'
import { ProviderForm } from './provider-form.tsx'
import { providerQuery } from './provider-queries.ts'

export function EditProvider() {
  const { providerId } = useParams({ from: '/shell/manage/sign-in-providers/$providerId' })
  const query = useQuery(providerQuery(providerId))
  return (
    <Opened
      query={query}
      title="Sign-in provider"
      list={{ to: '/sign-in-providers', label: 'the sign-in providers' }}
    >
      {(loaded) => <Editor key={providerId} loaded={loaded} />}
    </Opened>
  )
}

function Editor({ loaded }: { loaded: Versioned<SignInProvider> }) {
  const { id } = loaded.resource
  const edit = useEdit({
    loaded,
    toDraft: draftOfProvider,
    write: (draft, etag) =>
      send('PUT /sign-in-providers/{id}', { params: { id }, body: bodyOf(draft), if_match: etag }),
    keys: ['sign-in-providers', 'sign-in-options'],
  })
  return (
    <Page title={edit.base.name} actions={<Deletion provider={edit.base} />}>
      <ProviderForm form={edit.form} isNew={false} hasSecret={edit.base.has_client_secret} />
      <Conflict edit={edit} read={() => queryClient.fetchQuery({ ...providerQuery(id), staleTime: 0 })} />
    </Page>
  )
}

function Deletion({ provider: { id, name } }: { provider: SignInProvider }) {
  const navigate = useNavigate()
  return (
    <DeleteButton
      question={`Delete “${name}”?`}
      consequence="Nobody signs in by it any more. The sessions that began by it end, and the memberships that it gave are taken."
      said="The provider is deleted."
      keys={['sign-in-options']}
      remove={() => call('DELETE /sign-in-providers/{id}', { params: { id } })}
      onDeleted={() => void navigate({ to: '/sign-in-providers' })}
    />
  )
}
