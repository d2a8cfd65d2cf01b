import { NativeSelect, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'

import { mineQuery } from '../../api/queries.ts'
import { LinkButton } from '../../ui/link-button.tsx'
import { Page } from '../../ui/page.tsx'
import { Empty } from '../../ui/states.tsx'
import { VirtualRows } from '../../ui/virtual-rows.tsx'
import { MyRequest } from './my-request.tsx'

const choices = [
  { value: '', label: 'All' },
  { value: 'pending', label: 'Pending' },
  { value: 'approved', label: 'Approved, still running' },
  { value: 'denied', label: 'Denied' },
  { value: 'expired', label: 'Expired' },
  { value: 'revoked', label: 'Revoked or cancelled' },
]

/** What I asked for, and what is for me, newest first. */
export function MyRequests() {
  const { status } = useSearch({ from: '/shell/my-requests' })
  const navigate = useNavigate({ from: '/my-requests' })
  const query = useInfiniteQuery(mineQuery(status))
  return (
    <Page
      title="My requests"
      about="What you asked for, and what is yours now."
      actions={<LinkButton to="/request-access">Request access</LinkButton>}
    >
      <NativeSelect
        label="State"
        w="fit-content"
        data={choices}
        value={status ?? ''}
        onChange={({ currentTarget }) =>
          void navigate({
            search: currentTarget.value === '' ? {} : { status: currentTarget.value },
            replace: true,
          })
        }
      />
      <VirtualRows
        query={query}
        label="My requests"
        rowHeight={120}
        empty={<NoRequests isFiltered={status !== undefined} />}
      >
        {(request) => <MyRequest request={request} />}
      </VirtualRows>
    </Page>
  )
}

function NoRequests({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered)
    return (
      <Empty title="No request is in this state.">
        <Link to="/my-requests">Show all of them</Link>
      </Empty>
    )
  return (
    <Empty title="You have not asked for anything yet.">
      <Text c="dimmed">
        <Link to="/request-access">Choose what you need</Link>, say why and for how long.
      </Text>
    </Empty>
  )
}
