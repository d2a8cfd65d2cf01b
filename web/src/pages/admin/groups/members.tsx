import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import type { Membership } from '../../../../../domain/directory.ts'
import { DeleteButton } from '../../../admin/delete-button.tsx'
import { membersQuery } from '../../../admin/queries.ts'
import { SearchableTable } from '../../../admin/searchable-table.tsx'
import { Section } from '../../../admin/section.tsx'
import type { Column } from '../../../admin/table.tsx'
import { call } from '../../../api/call.ts'
import { Instant } from '../../../ui/instant.tsx'
import { Mark } from '../../../ui/marks.tsx'
import { Arriving } from '../../../ui/states.tsx'
import { MemberForm } from './member-form.tsx'

const columns: Column<Membership>[] = [
  {
    name: 'Name',
    cell: ({ identity_id, display_name, status }) => (
      <>
        <Link to="/identities/$identityId" params={{ identityId: identity_id }}>
          {display_name}
        </Link>{' '}
        {status === 'disabled' && <Mark tone="bad">Disabled</Mark>}
      </>
    ),
  },
  { name: 'Address', cell: ({ email }) => email },
  { name: 'Since', cell: ({ joined_at }) => <Instant at={joined_at} /> },
  {
    name: 'Until',
    cell: ({ expires_at }) => (expires_at === null ? 'For good' : <Instant at={expires_at} />),
  },
]

/** Who belongs to a group now, and until when. */
export function Members({ group_id, mayEdit }: { group_id: string; mayEdit: boolean }) {
  const members = useQuery(membersQuery(group_id))
  const [added, setAdded] = useState(0)
  const removal: Column<Membership> = {
    name: 'What to do',
    cell: (member) => <Removal group_id={group_id} member={member} />,
  }
  return (
    <Section title="Members">
      <Arriving query={members} rows={2}>
        {(items) => (
          <SearchableTable
            label="Members"
            columns={mayEdit ? [...columns, removal] : columns}
            items={items}
            keyOf={({ identity_id }) => identity_id}
            textOf={({ display_name, email }) => `${display_name} ${email}`}
            empty={<Text c="dimmed">Nobody yet.</Text>}
          />
        )}
      </Arriving>
      {mayEdit && (
        <MemberForm key={added} group_id={group_id} isAgain={added > 0} onAdded={() => setAdded(added + 1)} />
      )}
    </Section>
  )
}

function Removal({ group_id, member }: { group_id: string; member: Membership }) {
  const { identity_id, display_name } = member
  return (
    <DeleteButton
      label={`Remove ${display_name}`}
      question={`Remove ${display_name} from this group?`}
      consequence="What the group gives ends for them at once, in new tokens too."
      said={`${display_name} is not a member any more.`}
      keys={['groups', 'eligible-approvers', 'me']}
      size="xs"
      remove={() =>
        call('DELETE /groups/{id}/members/{identity_id}', { params: { id: group_id, identity_id } })
      }
    />
  )
}
