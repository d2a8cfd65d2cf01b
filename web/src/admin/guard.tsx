import { Outlet, Link } from '@tanstack/react-router'

import type { Permission } from '../../../domain/directory.ts'
import { may, useMe } from '../api/session.ts'
import { Page } from '../ui/page.tsx'
import { Empty } from '../ui/states.tsx'

/** The pages below are for whoever holds the permission; the others are told so, and who can give it. */
export const guard = (permission: Permission) =>
  function Guard() {
    if (may(useMe(), permission)) return <Outlet />
    return (
      <Page title="Not for you">
        <Empty title={`This page needs the permission ${permission}.`}>
          Groups carry permissions: ask an admin of Hallpass for a membership, or{' '}
          <Link to="/request-access">request access</Link>.
        </Empty>
      </Page>
    )
  }
