import { Button, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import type { AppMapping } from '../../../../../domain/directory.ts'
import { DeleteButton } from '../../../admin/delete-button.tsx'
import { mappingsQuery } from '../../../admin/queries.ts'
import { Section } from '../../../admin/section.tsx'
import { Table, type Column } from '../../../admin/table.tsx'
import { call } from '../../../api/call.ts'
import { PrivilegeMark } from '../../../ui/marks.tsx'
import { Arriving } from '../../../ui/states.tsx'
import { EditMapping } from './edit-mapping.tsx'
import { NewMapping } from './new-mapping.tsx'

/** What can be granted in an application. */
export function Mappings({ app_id }: { app_id: string }) {
  const mappings = useQuery(mappingsQuery(app_id))
  const [edited, setEdited] = useState<AppMapping>()
  const [saves, setSaves] = useState(0)
  const onDone = () => {
    setEdited(undefined)
    setSaves(saves + 1)
  }
  const columns: Column<AppMapping>[] = [
    { name: 'Name', cell: ({ name }) => name },
    { name: 'Tokens carry', cell: ({ claim, value }) => <code>{`${claim} = ${value}`}</code> },
    { name: 'Privilege', cell: ({ privilege_level }) => <PrivilegeMark level={privilege_level} /> },
    {
      name: 'What to do',
      cell: (mapping) => <Actions mapping={mapping} onEdit={() => setEdited(mapping)} />,
    },
  ]
  return (
    <Section title="Mappings" about="Each is one entitlement: what a token for this application carries.">
      <Arriving query={mappings} rows={2}>
        {(items) =>
          items.length === 0 ? (
            <Text c="dimmed">None yet: templates of this application have nothing to grant.</Text>
          ) : (
            <Table label="Mappings" columns={columns} items={items} keyOf={({ id }) => id} />
          )
        }
      </Arriving>
      {edited === undefined ? (
        <NewMapping key={saves} app_id={app_id} isAgain={saves > 0} onDone={onDone} />
      ) : (
        <EditMapping key={edited.id} mapping={edited} onDone={onDone} />
      )}
    </Section>
  )
}

function Actions({ mapping: { id, name }, onEdit }: { mapping: AppMapping; onEdit: () => void }) {
  return (
    <Group gap="xs">
      <Button size="xs" variant="default" aria-label={`Edit ${name}`} onClick={onEdit}>
        Edit
      </Button>
      <DeleteButton
        label={`Delete ${name}`}
        question={`Delete the mapping “${name}”?`}
        consequence="Nothing grants it any more. While a template, a group or an open request names it, it cannot be deleted."
        said="The mapping is deleted."
        keys={['applications']}
        size="xs"
        remove={() => call('DELETE /app-mappings/{id}', { params: { id } })}
      />
    </Group>
  )
}
