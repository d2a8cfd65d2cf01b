import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'

import type { ScimLink } from '../../../../../domain/scim.ts'
import { ChooseOne } from '../../../admin/choose-one.tsx'
import { DeleteButton } from '../../../admin/delete-button.tsx'
import { groupsQuery } from '../../../admin/queries.ts'
import { Section } from '../../../admin/section.tsx'
import { Table, type Column } from '../../../admin/table.tsx'
import { call } from '../../../api/call.ts'
import { allOf } from '../../../api/queries.ts'
import { Arriving } from '../../../ui/states.tsx'

const columns: Column<ScimLink>[] = [
  { name: 'Group', cell: ({ name }) => name },
  {
    name: 'Whence',
    cell: ({ is_linked }) => (is_linked ? 'Handed over by an admin' : 'Made by the provider'),
  },
  { name: 'Its name there', cell: ({ external_id }) => external_id ?? '—' },
  { name: 'What to do', cell: (link) => <Unlink link={link} /> },
]

/** The groups whose people an identity provider keeps. */
export function ScimGroups() {
  const links = useQuery({
    queryKey: ['scim-groups'],
    queryFn: ({ signal }) => allOf((query) => call('GET /scim-groups', { query, signal })),
  })
  return (
    <Section title="Groups" about="A provider sees, and fills, these groups and no others.">
      <Arriving query={links} rows={1}>
        {(items) => (
          <>
            {items.length === 0 ? (
              <Text c="dimmed">None yet.</Text>
            ) : (
              <Table label="Groups of providers" columns={columns} items={items} keyOf={({ id }) => id} />
            )}
            <HandOver linked={items.map(({ id }) => id)} />
          </>
        )}
      </Arriving>
    </Section>
  )
}

function Unlink({ link: { id, name } }: { link: ScimLink }) {
  return (
    <DeleteButton
      label={`Take ${name} back`}
      question={`Take “${name}” back from the provider?`}
      consequence="It stays as it is, with its members; the provider does not see it any more."
      said="The group is yours again."
      keys={['scim-groups']}
      size="xs"
      remove={() => call('DELETE /scim-groups/{id}', { params: { id } })}
    />
  )
}

function HandOver({ linked }: { linked: string[] }) {
  const { data: groups = [] } = useQuery(groupsQuery)
  return (
    <ChooseOne
      label="Hand a group over"
      action="Hand over"
      choices={groups
        .filter(({ id }) => !linked.includes(id))
        .map(({ id, name }) => ({ value: id, label: name }))}
      write={(id) => call('PUT /scim-groups/{id}', { params: { id } })}
      keys={['scim-groups']}
    />
  )
}
