import { Link } from '@tanstack/react-router'

import { Page } from '../ui/page.tsx'
import { Empty } from '../ui/states.tsx'

export function NotFound() {
  return (
    <Page title="Not found">
      <Empty title="There is nothing at this address.">
        It may have been deleted, or you may not see it. Go to{' '}
        <Link to="/request-access">Request access</Link> or <Link to="/my-requests">My requests</Link>.
      </Empty>
    </Page>
  )
}
