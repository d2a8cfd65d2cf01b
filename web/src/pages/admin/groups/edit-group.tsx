import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'

import type { Group } from '../../../../../domain/directory.ts'
import { Conflict } from '../../../admin/conflict.tsx'
import { DeleteButton } from '../../../admin/delete-button.tsx'
import { Opened } from '../../../admin/opened.tsx'
import { groupQuery, type Versioned } from '../../../admin/queries.ts'
import { useEdit } from '../../../admin/use-form.ts'
import { call, send } from '../../../api/call.ts'
import { queryClient } from '../../../api/query-client.ts'
import { may, useMe } from '../../../api/session.ts'
import { Facts } from '../../../ui/facts.tsx'
import { Instant } from '../../../ui/instant.tsx'
import { Page } from '../../../ui/page.tsx'
import { draftOfGroup, GroupForm } from './group-form.tsx'
import { GroupMappings } from './group-mappings.tsx'
import { Members } from './members.tsx'

export function EditGroup() {
  const { groupId } = useParams({ from: '/shell/groups/$groupId' })
  const query = useQuery(groupQuery(groupId))
  const mayEdit = may(useMe(), 'directory.manage')
  return (
    <Opened query={query} title="Group" list={{ to: '/groups', label: 'the groups' }}>
      {(loaded) =>
        mayEdit && loaded.resource.kind === 'standing' ? (
          <Editor key={groupId} loaded={loaded} />
        ) : (
          <Shown group={loaded.resource} />
        )
      }
    </Opened>
  )
}

function Editor({ loaded }: { loaded: Versioned<Group> }) {
  const { id } = loaded.resource
  const edit = useEdit({
    loaded,
    toDraft: draftOfGroup,
    write: (body, etag) => send('PUT /groups/{id}', { params: { id }, body, if_match: etag }),
    keys: ['groups', 'me'],
  })
  return (
    <Page title={edit.base.name} actions={<Deletion group={edit.base} />}>
      <GroupForm form={edit.form} label="Save group" />
      <Conflict edit={edit} read={() => queryClient.fetchQuery({ ...groupQuery(id), staleTime: 0 })} />
      <Members group_id={id} mayEdit />
      <GroupMappings group_id={id} />
    </Page>
  )
}

/** For whoever may not change it; a temporary group is changed by nobody. */
function Shown({ group }: { group: Group }) {
  const { id, name, description, permissions, kind, expires_at } = group
  return (
    <Page
      title={name}
      about={kind === 'temporary' ? 'The temporary group of an approved request.' : undefined}
    >
      <Facts
        facts={[
          ['Description', description],
          ['Permissions', permissions.join(', ')],
          ['Ends', expires_at !== null && <Instant key="ends" at={expires_at} />],
        ]}
      />
      <Members group_id={id} mayEdit={false} />
      <GroupMappings group_id={id} />
    </Page>
  )
}

function Deletion({ group: { id, name } }: { group: Group }) {
  const navigate = useNavigate()
  return (
    <DeleteButton
      question={`Delete “${name}”?`}
      consequence="Its members lose what it gives them, at once. While a template, an application or an open request refers to it, it cannot be deleted."
      said="The group is deleted."
      keys={['me']}
      remove={() => call('DELETE /groups/{id}', { params: { id } })}
      onDeleted={() => void navigate({ to: '/groups' })}
    />
  )
}
