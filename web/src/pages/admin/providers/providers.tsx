import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import type { SignInProvider } from '../../../../../domain/sign-in-provider.ts'
import { Table, type Column } from '../../../admin/table.tsx'
import { LinkButton } from '../../../ui/link-button.tsx'
import { Mark } from '../../../ui/marks.tsx'
import { Page } from '../../../ui/page.tsx'
import { Arriving, Empty } from '../../../ui/states.tsx'
import { providersQuery } from './provider-queries.ts'

const columns: Column<SignInProvider>[] = [
  {
    name: 'Name',
    cell: ({ id, name }) => (
      <Link to="/sign-in-providers/$providerId" params={{ providerId: id }}>
        {name}
      </Link>
    ),
  },
  { name: 'Issuer', cell: ({ issuer }) => issuer },
  {
    name: 'State',
    cell: ({ enabled }) => (enabled ? <Mark tone="good">Enabled</Mark> : <Mark>Disabled</Mark>),
  },
  { name: 'New people', cell: ({ create_identities }) => (create_identities ? 'Created' : 'Refused') },
]

export function Providers() {
  const providers = useQuery(providersQuery)
  return (
    <Page
      title="Sign-in providers"
      about="The OpenID Connect providers by which people sign in."
      actions={<LinkButton to="/sign-in-providers/new">New provider</LinkButton>}
    >
      <Arriving query={providers}>
        {(items) =>
          items.length === 0 ? (
            <Empty title="There is no provider yet.">
              <Link to="/sign-in-providers/new">Add yours</Link>: people then sign in as they do elsewhere.
            </Empty>
          ) : (
            <Table label="Sign-in providers" columns={columns} items={items} keyOf={({ id }) => id} />
          )
        }
      </Arriving>
    </Page>
  )
}
