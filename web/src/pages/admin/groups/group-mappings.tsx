import { Text } from '@mantine/core'
import { useQueries, useQuery } from '@tanstack/react-query'

import type { AppMapping } from '../../../../../domain/directory.ts'
import { ChooseOne } from '../../../admin/choose-one.tsx'
import { DeleteButton } from '../../../admin/delete-button.tsx'
import { applicationsQuery, groupQuery, mappingsQuery } from '../../../admin/queries.ts'
import { Section } from '../../../admin/section.tsx'
import { Table, type Column } from '../../../admin/table.tsx'
import { call } from '../../../api/call.ts'
import { may, useMe } from '../../../api/session.ts'
import { PrivilegeMark } from '../../../ui/marks.tsx'
import { Arriving } from '../../../ui/states.tsx'

type Named = AppMapping & { app_name: string }

/** The mappings of every application, under its name. */
function useMappings(): Named[] {
  const { data: apps = [] } = useQuery(applicationsQuery)
  const found = useQueries({ queries: apps.map(({ id }) => mappingsQuery(id)) })
  return apps.flatMap(({ name }, index) =>
    (found[index]?.data ?? []).map((mapping) => ({ ...mapping, app_name: name })),
  )
}

/** What the members have for as long as they are members: no request, no end. */
export function GroupMappings({ group_id }: { group_id: string }) {
  const group = useQuery(groupQuery(group_id))
  const mayEdit = may(useMe(), 'applications.manage')
  const mappings = useMappings()
  const columns: Column<Named>[] = [
    { name: 'Application', cell: ({ app_name }) => app_name },
    { name: 'Mapping', cell: ({ name }) => name },
    { name: 'Tokens carry', cell: ({ claim, value }) => <code>{`${claim} = ${value}`}</code> },
    { name: 'Privilege', cell: ({ privilege_level }) => <PrivilegeMark level={privilege_level} /> },
  ]
  const removal: Column<Named> = {
    name: 'What to do',
    cell: (mapping) => <Removal group_id={group_id} mapping={mapping} />,
  }
  return (
    <Section title="Standing mappings" about="What its members always have, without asking.">
      <Arriving query={group} rows={1}>
        {({ resource: { mapping_ids, kind } }) => {
          const held = mappings.filter(({ id }) => mapping_ids.includes(id))
          const mayChange = mayEdit && kind === 'standing'
          return (
            <>
              {held.length === 0 ? (
                <Text c="dimmed">None.</Text>
              ) : (
                <Table
                  label="Standing mappings"
                  columns={mayChange ? [...columns, removal] : columns}
                  items={held}
                  keyOf={({ id }) => id}
                />
              )}
              {mayChange && (
                <AddMapping
                  group_id={group_id}
                  choices={mappings.filter(({ id }) => !mapping_ids.includes(id))}
                />
              )}
            </>
          )
        }}
      </Arriving>
    </Section>
  )
}

function Removal({ group_id, mapping: { id, name } }: { group_id: string; mapping: Named }) {
  return (
    <DeleteButton
      label={`Take ${name} away`}
      question={`Take “${name}” from this group?`}
      consequence="Its members lose it at once, in new tokens too."
      said="The members do not have it any more."
      keys={['groups']}
      size="xs"
      remove={() =>
        call('DELETE /groups/{id}/mappings/{mapping_id}', { params: { id: group_id, mapping_id: id } })
      }
    />
  )
}

function AddMapping({ group_id, choices }: { group_id: string; choices: Named[] }) {
  return (
    <ChooseOne
      label="Give them a mapping"
      action="Add mapping"
      choices={choices.map(({ id, app_name, name }) => ({ value: id, label: `${app_name}: ${name}` }))}
      write={(mapping_id) =>
        call('PUT /groups/{id}/mappings/{mapping_id}', { params: { id: group_id, mapping_id } })
      }
      keys={['groups']}
    />
  )
}
