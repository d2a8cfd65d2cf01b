import { Button, Group } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import type { Secret } from '../../../../../domain/secret.ts'
import { DeleteButton } from '../../../admin/delete-button.tsx'
import { secretsQuery } from '../../../admin/queries.ts'
import { SearchableTable } from '../../../admin/searchable-table.tsx'
import type { Column } from '../../../admin/table.tsx'
import { call } from '../../../api/call.ts'
import { Instant } from '../../../ui/instant.tsx'
import { Page } from '../../../ui/page.tsx'
import { Arriving, Empty } from '../../../ui/states.tsx'
import { SecretForm } from './secret-form.tsx'

const columnsFor = (onReplace: (secret: Secret) => void): Column<Secret>[] => [
  { name: 'Name', cell: ({ name }) => <code>{name}</code> },
  { name: 'Sent to', cell: ({ hosts }) => hosts.join(', ') || 'No host: it is of no use yet' },
  { name: 'Made', cell: ({ created_at }) => <Instant at={created_at} /> },
  { name: 'Replaced', cell: ({ updated_at }) => <Instant at={updated_at} /> },
  { name: 'What to do', cell: (secret) => <Actions secret={secret} onReplace={onReplace} /> },
]

export function Secrets() {
  const secrets = useQuery(secretsQuery)
  const [replaced, setReplaced] = useState<Secret>()
  const [rounds, setRounds] = useState(0)
  const begin = (secret: Secret | undefined) => {
    setReplaced(secret)
    setRounds(rounds + 1)
  }
  return (
    <Page
      title="Secrets"
      about="What scripts send without seeing it. A value is written here and never shown again."
      wide
    >
      <Arriving query={secrets}>
        {(items) => (
          <SearchableTable
            label="Secrets"
            columns={columnsFor(begin)}
            items={items}
            keyOf={({ name }) => name}
            textOf={({ name, hosts }) => [name, ...hosts].join(' ')}
            empty={
              <Empty title="There is no secret yet.">
                Keep the first one below, and read it in a script with secrets.get.
              </Empty>
            }
          />
        )}
      </Arriving>
      <SecretForm key={rounds} replaced={replaced} isAgain={rounds > 0} onDone={() => begin(undefined)} />
    </Page>
  )
}

type ActionsProps = { secret: Secret; onReplace: (secret: Secret) => void }

function Actions({ secret, onReplace }: ActionsProps) {
  const { name } = secret
  return (
    <Group gap="xs">
      <Button size="xs" variant="default" aria-label={`Replace ${name}`} onClick={() => onReplace(secret)}>
        Replace
      </Button>
      <DeleteButton
        label={`Delete ${name}`}
        question={`Delete ${name}?`}
        consequence="Scripts that name it fail from now on. The value cannot be brought back."
        said="The secret is deleted."
        keys={['secrets']}
        size="xs"
        remove={() => call('DELETE /secrets/{name}', { params: { name } })}
      />
    </Group>
  )
}
