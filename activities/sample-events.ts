import { triggerEvents } from '../domain/lifecycle.ts'
import type { IntegrationEvent, TriggerEvent } from '../domain/lifecycle.ts'
import type { SampleEvent } from '../domain/script-test.ts'

const idOf = (last: number) => `00000000-0000-4000-8000-${String(last).padStart(12, '0')}`

const ids = {
  request_id: idOf(1),
  template_id: idOf(2),
  app_id: idOf(3),
  requester_id: idOf(4),
  approver_id: idOf(5),
  event_id: idOf(6),
}

const facts = {
  request_id: ids.request_id,
  template_id: ids.template_id,
  template_name: 'Sample template',
  app_id: ids.app_id,
  app_name: 'Sample application',
  requester_id: ids.requester_id,
  requester_email: 'alice@example.com',
  requester_name: 'Alice (sample)',
  justification: 'A sample reason.',
  subject_id: ids.requester_id,
  subject_name: 'Alice (sample)',
  requested_duration_mins: '60',
}

const { request_id: sampleId, ...asStored } = facts
const approver = { id: ids.approver_id, email: 'bob@example.com', display_name: 'Bob (sample)' }
const at = { created: '2030-01-01T11:00:00.000Z', decided: '2030-01-01T12:00:00.000Z' }
const expiresAt = '2030-01-01T13:00:00.000Z'

const isTrigger = (event: SampleEvent): event is TriggerEvent =>
  (triggerEvents as readonly string[]).includes(event)

function sampleTrigger(event: TriggerEvent): Record<string, string> {
  const told = { trigger_event: event, request_status: event === 'created' ? 'pending' : event, ...facts }
  if (event === 'created') return told
  const expires_at = event === 'denied' ? '' : expiresAt
  return { ...told, decided_by: approver.id, comment: 'A sample comment.', expires_at }
}

function sampleIntegration(type: IntegrationEvent): Record<string, string> {
  const { request_id, template_name, requester_email } = facts
  const payload = {
    request_id,
    template_name,
    requester_email,
    ...(type === 'access_request.submitted' && { notified_approvers: approver.email }),
    ...((type === 'access_request.approved' || type === 'access_request.denied') && {
      decided_by: approver.id,
    }),
  }
  const prefixed = Object.entries(payload).map(([key, value]) => [`event.${key}`, value])
  return { ...payload, ...Object.fromEntries(prefixed), 'event.type': type, 'event.id': ids.event_id }
}

/** What `config.get` tells of an event that never was: the same keys as of a real one. */
export const sampleConfig = (event: SampleEvent): Record<string, string> =>
  isTrigger(event) ? sampleTrigger(event) : sampleIntegration(event)

const statusOf = (event: SampleEvent | undefined): string => {
  const word = event?.replace('access_request.', '') ?? 'created'
  return ['approved', 'denied', 'revoked', 'expired'].includes(word) ? word : 'pending'
}

/** The request and the approvers that `idp` answers with where there is no real request. */
export function sampleRequest(event: SampleEvent | undefined) {
  const status = statusOf(event)
  const isDecided = status !== 'pending'
  const isHeld = isDecided && status !== 'denied'
  return {
    request: {
      ...asStored,
      id: sampleId,
      requested_duration_mins: 60,
      status,
      decision: isDecided ? (status === 'denied' ? 'denied' : 'approved') : null,
      mappings: [],
      ticket: null,
      notified_approvers: [approver.email],
      decided_by: isDecided ? approver.id : null,
      created_at: at.created,
      decided_at: isDecided ? at.decided : null,
      expires_at: isHeld ? expiresAt : null,
      ended_at: ['revoked', 'expired'].includes(status) ? expiresAt : null,
    },
    approvers: [approver],
  }
}
