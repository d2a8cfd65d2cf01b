import type { CustomAnswers, CustomField } from '../../domain/custom-fields.ts'
import type { TriggerEvent } from '../../domain/lifecycle.ts'
import { findRow } from '../client.ts'
import type { Db } from '../client.ts'

type Row = {
  facts: Record<string, string | number | null>
  fields: CustomField[]
  custom_answers: CustomAnswers
  decision: string | null
  decision_source: string | null
  decided_by: string | null
  comment: string | null
  revoke_comment: string | null
  expires_at: string | null
}

/** As `config.get` gives it: lists are joined with a comma, what is missing is empty. */
export const asText = (value: string | string[] | boolean | number | null | undefined): string => {
  if (Array.isArray(value)) return value.join(', ')
  return value === null || value === undefined ? '' : String(value)
}

const answersOf = ({ fields, custom_answers }: Row) =>
  fields.map(({ id, label }) => [`custom_answers.${label}`, custom_answers[id]] as const)

/** Each event is told in its own words, whatever happened to the request since. */
function eventFacts(event: TriggerEvent, row: Row) {
  if (event === 'created') return []
  const decided_by = row.decision_source === 'auto' ? 'auto' : row.decided_by
  if (event === 'revoked' && row.decision === 'cancelled') {
    return [
      ['cancelled', 'true'],
      ['comment', row.revoke_comment],
    ] as const
  }
  return [
    ['decided_by', decided_by],
    ['comment', event === 'revoked' ? row.revoke_comment : row.comment],
    ['expires_at', event === 'denied' ? null : row.expires_at],
  ] as const
}

/**
 * What `config.get` tells a script of an event of a request: every value is text, lists are joined with a comma.
 * `pending` are facts of a decision that has not happened yet (a block run).
 */
export async function readTriggerConfig(
  db: Db,
  request_id: string,
  event: TriggerEvent,
  pending: { decided_by?: string; comment?: string | null } = {},
): Promise<Record<string, string>> {
  const row = await findRow<Row>(db`
    select jsonb_build_object('request_id', id, 'template_id', coalesce(template_id::text, snapshot ->> 'id'),
        'template_name', template_name, 'app_id', app_id, 'app_name', app_name, 'requester_id', requester_id,
        'requester_email', requester_email, 'requester_name', requester_name, 'justification', justification,
        'subject_id', subject_id, 'subject_name', subject_name,
        'requested_duration_mins', requested_duration_mins) as facts,
      snapshot -> 'custom_fields' as fields, custom_answers, decision, decision_source, decided_by, comment,
      revoke_comment, expires_at
    from access_requests where id = ${request_id}`)
  if (row === undefined) return {}
  const entries = [
    ['trigger_event', event] as const,
    ['request_status', event === 'created' ? 'pending' : event] as const,
    ...Object.entries(row.facts),
    ...eventFacts(event, row),
    ...Object.entries(pending),
    ...answersOf(row),
  ]
  return Object.fromEntries(entries.map(([key, value]) => [key, asText(value)]))
}
