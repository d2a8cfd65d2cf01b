import type { Me } from '../../../domain/directory.ts'
import { may } from '../api/session.ts'

/** A place that the navigation leads to. `needs`: the permission without which it is not offered. */
export type Area = { to: string; label: string; needs?: string }

/** The navigation, section by section. */
export const sections: { label: string; areas: Area[] }[] = [
  {
    label: 'Access requests',
    areas: [
      { to: '/request-access', label: 'Request access' },
      { to: '/my-requests', label: 'My requests' },
      { to: '/approvals', label: 'Approvals' },
      { to: '/history', label: 'History', needs: 'audit.read' },
    ],
  },
  { label: 'You', areas: [{ to: '/access-tokens', label: 'Access tokens' }] },
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

/** What this person is offered; sections with nothing in them are left out. */
export const offeredTo = (me: Me): typeof sections =>
  sections
    .map(({ label, areas }) => ({
      label,
      areas: areas.filter(({ needs }) => needs === undefined || may(me, needs)),
    }))
    .filter(({ areas }) => areas.length > 0)
