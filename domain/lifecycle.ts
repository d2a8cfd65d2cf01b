/** Every status change there is. A request begins `pending`; no transition exists that is not a row here. */
export const lifecycle = {
  approved: { from: ['pending'], to: 'approved' },
  denied: { from: ['pending'], to: 'denied' },
  revoked: { from: ['pending', 'approved'], to: 'revoked' },
  expired: { from: ['approved'], to: 'expired' },
} as const

export type LifecycleEvent = keyof typeof lifecycle
export type Status = (typeof lifecycle)[LifecycleEvent]['to'] | 'pending'

export const statuses = ['pending', 'approved', 'denied', 'revoked', 'expired'] as const satisfies Status[]

/** What a template's trigger task is told of; `created` is the submission, the others are transitions. */
export const triggerEvents = ['created', 'approved', 'denied', 'revoked', 'expired'] as const
export type TriggerEvent = (typeof triggerEvents)[number]

/** The events that leave the product, in the order of a request's life. */
export const integrationEvents = [
  'access_request.submitted',
  'access_request.approved',
  'access_request.denied',
  'access_request.revoked',
  'access_request.expired',
  'access_request.escalated',
] as const
export type IntegrationEvent = (typeof integrationEvents)[number]

export const mayHappen = (event: LifecycleEvent, status: Status): boolean =>
  (lifecycle[event].from as readonly Status[]).includes(status)

export const isFinal = (status: Status): boolean =>
  !Object.values(lifecycle).some(({ from }) => (from as readonly Status[]).includes(status))
