import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import type { PersonalAccessToken } from '../../../../../domain/personal-access-token.ts'
import { DeleteButton } from '../../../admin/delete-button.tsx'
import { identitiesQuery } from '../../../admin/queries.ts'
import { Section } from '../../../admin/section.tsx'
import { ShownOnce } from '../../../admin/shown-once.tsx'
import { Table, type Column } from '../../../admin/table.tsx'
import { call } from '../../../api/call.ts'
import { allOf } from '../../../api/queries.ts'
import { useMe } from '../../../api/session.ts'
import { Ago, Instant } from '../../../ui/instant.tsx'
import { Page } from '../../../ui/page.tsx'
import { Arriving, Empty } from '../../../ui/states.tsx'
import { AccessTokenForm } from './access-token-form.tsx'

const columns: Column<PersonalAccessToken>[] = [
  { name: 'Name', cell: ({ name }) => name },
  { name: 'May', cell: ({ scopes }) => scopes.join(', ') },
  { name: 'Ends', cell: ({ expires_at }) => <Instant at={expires_at} /> },
  {
    name: 'Last used',
    cell: ({ last_used_at }) => (last_used_at === null ? 'Never' : <Ago at={last_used_at} />),
  },
  { name: 'What to do', cell: (token) => <Removal token={token} /> },
]

/** One's own tokens for the API, and the machines that one answers for. */
export function AccessTokens() {
  const [made, setMade] = useState<string>()
  const [count, setCount] = useState(0)
  const tokens = useQuery({
    queryKey: ['personal-access-tokens'],
    queryFn: ({ signal }) => allOf((query) => call('GET /personal-access-tokens', { query, signal })),
  })
  return (
    <Page title="Access tokens" about="With one of them a program of yours calls the API in your name.">
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
            <Empty title="You have no access token.">
              Make one below, with no more scopes than the program needs. See <a href="/api/docs">the API</a>.
            </Empty>
          ) : (
            <Table label="Access tokens" columns={columns} items={items} keyOf={({ id }) => id} />
          )
        }
      </Arriving>
      <AccessTokenForm
        key={count}
        onMade={(token) => {
          setMade(token)
          setCount(count + 1)
        }}
      />
      <OwnMachines />
    </Page>
  )
}

function Removal({ token: { id, name } }: { token: PersonalAccessToken }) {
  return (
    <DeleteButton
      label={`Remove ${name}`}
      question={`Remove the token “${name}”?`}
      consequence="Whatever uses it is refused from now on."
      said="The token is removed."
      keys={['personal-access-tokens']}
      size="xs"
      remove={() => call('DELETE /personal-access-tokens/{id}', { params: { id } })}
    />
  )
}

/** Owners give their machines credentials on the machine's own page. */
function OwnMachines() {
  const me = useMe()
  const { data = [] } = useQuery(identitiesQuery)
  const mine = data.filter(({ owner_id }) => owner_id === me.id)
  if (mine.length === 0) return null
  return (
    <Section title="Machines that you own" about="Their credentials are on their own pages.">
      <ul>
        {mine.map(({ id, display_name, email }) => (
          <li key={id}>
            <Link to="/identities/$identityId" params={{ identityId: id }}>
              {display_name}
            </Link>{' '}
            ({email})
          </li>
        ))}
      </ul>
    </Section>
  )
}
