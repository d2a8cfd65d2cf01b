import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import type { ScimToken } from '../../../../../domain/scim.ts'
import { DeleteButton } from '../../../admin/delete-button.tsx'
import { Section } from '../../../admin/section.tsx'
import { ShownOnce } from '../../../admin/shown-once.tsx'
import { Table, type Column } from '../../../admin/table.tsx'
import { call } from '../../../api/call.ts'
import { allOf } from '../../../api/queries.ts'
import { Ago, Instant } from '../../../ui/instant.tsx'
import { Page } from '../../../ui/page.tsx'
import { Arriving } from '../../../ui/states.tsx'
import { ScimGroups } from './scim-groups.tsx'
import { ScimTokenForm } from './scim-token-form.tsx'

const columns: Column<ScimToken>[] = [
  { name: 'Name', cell: ({ name }) => name },
  {
    name: 'May fill privileged groups',
    cell: ({ may_manage_privileged_groups }) => (may_manage_privileged_groups ? 'Yes' : 'No'),
  },
  { name: 'Made', cell: ({ created_at }) => <Instant at={created_at} /> },
  {
    name: 'Last used',
    cell: ({ last_used_at }) => (last_used_at === null ? 'Never' : <Ago at={last_used_at} />),
  },
  { name: 'Ends', cell: ({ expires_at }) => (expires_at === null ? 'Never' : <Instant at={expires_at} />) },
  { name: 'What to do', cell: (token) => <Removal token={token} /> },
]

/** How an identity provider keeps people and groups here. */
export function ScimTokens() {
  const [made, setMade] = useState<string>()
  const [count, setCount] = useState(0)
  const tokens = useQuery({
    queryKey: ['scim-tokens'],
    queryFn: ({ signal }) => allOf((query) => call('GET /scim-tokens', { query, signal })),
  })
  return (
    <Page
      title="SCIM"
      about={
        <>
          An identity provider keeps people and groups here, at <code>{`${location.origin}/scim/v2`}</code>.
        </>
      }
      wide
    >
      <Section title="Tokens" about="One for each provider.">
        {made !== undefined && (
          <ShownOnce
            key={made}
            title="The token is made"
            values={[['Token', made]]}
            onDone={() => setMade(undefined)}
          />
        )}
        <Arriving query={tokens} rows={2}>
          {(items) =>
            items.length === 0 ? (
              <Text c="dimmed">None yet: no provider can change anything here.</Text>
            ) : (
              <Table label="SCIM tokens" columns={columns} items={items} keyOf={({ id }) => id} />
            )
          }
        </Arriving>
        <ScimTokenForm
          key={count}
          onMade={(token) => {
            setMade(token)
            setCount(count + 1)
          }}
        />
      </Section>
      <ScimGroups />
    </Page>
  )
}

function Removal({ token: { id, name } }: { token: ScimToken }) {
  return (
    <DeleteButton
      label={`Remove ${name}`}
      question={`Remove the token “${name}”?`}
      consequence="Whoever uses it is refused from now on."
      said="The token is removed."
      keys={['scim-tokens']}
      size="xs"
      remove={() => call('DELETE /scim-tokens/{id}', { params: { id } })}
    />
  )
}
