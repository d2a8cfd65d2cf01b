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
