import { Alert } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import type { Identity } from '../../../../../domain/directory.ts'
import { identitiesQuery } from '../../../admin/queries.ts'
import { SearchableTable } from '../../../admin/searchable-table.tsx'
import type { Column } from '../../../admin/table.tsx'
import { serverNow } from '../../../api/clock.ts'
import { Instant } from '../../../ui/instant.tsx'
import { LinkButton } from '../../../ui/link-button.tsx'
import { Mark } from '../../../ui/marks.tsx'
import { Page } from '../../../ui/page.tsx'
import { Arriving, Empty } from '../../../ui/states.tsx'
import { sayKind } from './identity-draft.ts'

const isActive = (identity: Identity | undefined): boolean =>
  identity?.status === 'active' &&
  (identity.expires_at === null || Date.parse(identity.expires_at) > serverNow())

type Owners = Map<string, Identity>

const ownersIn = (identities: Identity[]): Owners => new Map(identities.map((each) => [each.id, each]))

/** A machine that no active person owns: nobody answers for it. */
const isOrphaned = (owners: Owners, { kind, owner_id }: Identity): boolean =>
  kind !== 'human' && !isActive(owners.get(owner_id ?? ''))

function columnsFor(owners: Owners): Column<Identity>[] {
  return [
    {
      name: 'Name',
      cell: ({ id, display_name }) => (
        <Link to="/identities/$identityId" params={{ identityId: id }}>
          {display_name}
        </Link>
      ),
    },
    { name: 'Address', cell: ({ email }) => email },
    { name: 'Kind', cell: ({ kind }) => sayKind(kind) },
    {
      name: 'State',
      cell: ({ status }) =>
        status === 'active' ? <Mark tone="good">Active</Mark> : <Mark tone="bad">Disabled</Mark>,
    },
    {
      name: 'Owner',
      cell: (identity) => (
        <span>
          {owners.get(identity.owner_id ?? '')?.email ?? '—'}{' '}
          {isOrphaned(owners, identity) && <Mark tone="bad">Orphaned</Mark>}
        </span>
      ),
    },
    {
      name: 'Ends',
      cell: ({ expires_at }) => (expires_at === null ? 'Never' : <Instant at={expires_at} />),
    },
  ]
}

/** Says what to do about machines that nobody answers for. */
function OrphansNotice({ count }: { count: number }) {
  if (count === 0) return null
  return (
    <Alert role="status" title={count === 1 ? 'One machine is orphaned' : `${count} machines are orphaned`}>
      No active person answers for what is marked so. Name another owner, or disable it: that revokes what it
      asked for and was granted. Search for “orphaned”.
    </Alert>
  )
}

function Listed({ items }: { items: Identity[] }) {
  const owners = ownersIn(items)
  const sayOwned = (identity: Identity) => (isOrphaned(owners, identity) ? 'orphaned' : '')
  return (
    <>
      <OrphansNotice count={items.filter((each) => isOrphaned(owners, each)).length} />
      <SearchableTable
        label="Identities"
        columns={columnsFor(owners)}
        items={items.toSorted((one, other) => one.display_name.localeCompare(other.display_name))}
        keyOf={({ id }) => id}
        textOf={(each) =>
          `${each.display_name} ${each.email} ${sayKind(each.kind)} ${each.status} ${sayOwned(each)}`
        }
        empty={<Empty title="There is nobody yet.">Make the first identity.</Empty>}
      />
    </>
  )
}

export function Identities() {
  const identities = useQuery(identitiesQuery)
  return (
    <Page
      title="Identities"
      about="People, and the machines that act by themselves, each with an owner."
      actions={<LinkButton to="/identities/new">New identity</LinkButton>}
      wide
    >
      <Arriving query={identities}>{(items) => <Listed items={items} />}</Arriving>
    </Page>
  )
}
