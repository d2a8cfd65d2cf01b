import type { Me } from '../../../domain/directory.ts'
import { may } from '../api/session.ts'

/** A place that the navigation leads to. `needs`: the permission without which it is not offered. */
export type Area = { to: string; label: string; needs?: string }

/** The tabs of the access requests; the first stands for all of them in the navigation. */
const tabs: Area[] = [
  { to: '/request-access', label: 'Request access' },
  { to: '/my-requests', label: 'My requests' },
  { to: '/approvals', label: 'Approvals' },
  { to: '/history', label: 'History', needs: 'audit.read' },
]

/** The navigation, section by section. */
const sections: { label: string; areas: Area[] }[] = [
  {
    label: 'You',
    areas: [
      { to: '/request-access', label: 'Access requests' },
      { to: '/access-tokens', label: 'Access tokens' },
    ],
  },
  {
    label: 'Access',
    areas: [
      { to: '/templates', label: 'Templates', needs: 'templates.manage' },
      { to: '/applications', label: 'Applications', needs: 'applications.manage' },
      { to: '/groups', label: 'Groups', needs: 'directory.manage' },
      { to: '/identities', label: 'Identities', needs: 'directory.manage' },
    ],
  },
  {
    label: 'Automation',
    areas: [
      { to: '/scripts', label: 'Scripts', needs: 'scripts.manage' },
      { to: '/integrations', label: 'Integrations', needs: 'scripts.manage' },
      { to: '/secrets', label: 'Secrets', needs: 'scripts.manage' },
    ],
  },
  {
    label: 'Installation',
    areas: [
      { to: '/sign-in-providers', label: 'Sign-in providers', needs: 'access_requests.manage' },
      { to: '/scim-tokens', label: 'SCIM', needs: 'access_requests.manage' },
      { to: '/signing-keys', label: 'Signing keys', needs: 'access_requests.manage' },
    ],
  },
]

const allowed = (me: Me, areas: Area[]): Area[] =>
  areas.filter(({ needs }) => needs === undefined || may(me, needs))

/** What this person is offered; sections with nothing in them are left out. */
export const offeredTo = (me: Me): typeof sections =>
  sections
    .map(({ label, areas }) => ({ label, areas: allowed(me, areas) }))
    .filter(({ areas }) => areas.length > 0)

/** Each of them leads to the page of one request. */
const places = [...tabs.map(({ to }) => to), '/requests']

/** The tabs above what stands at an address: those of the access requests on their pages, none elsewhere. */
export const tabsAt = (pathname: string, me: Me): Area[] =>
  places.some((place) => pathname === place || pathname.startsWith(`${place}/`)) ? allowed(me, tabs) : []
