import type { AccessRequest } from '../../../../../domain/access-request.ts'

/** What a spreadsheet would take for a formula (OWASP, CSV injection) is told to be text by an apostrophe. */
function cellOf(value: string | number | null): string {
  const text = value === null ? '' : String(value)
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return `"${safe.replaceAll('"', '""')}"`
}

const columns: [name: string, value: (request: AccessRequest) => string | number | null][] = [
  ['id', ({ id }) => id],
  ['status', ({ status }) => status],
  ['decision', ({ decision }) => decision],
  ['template_name', ({ template_name }) => template_name],
  ['template_deleted', ({ template_deleted }) => String(template_deleted)],
  ['app_name', ({ app_name }) => app_name],
  ['mappings', ({ mappings }) => mappings.map(({ claim, value }) => `${claim}=${value}`).join('; ')],
  ['requester_email', ({ requester_email }) => requester_email],
  ['requester_name', ({ requester_name }) => requester_name],
  ['subject_name', ({ subject_name }) => subject_name],
  ['requested_duration_mins', ({ requested_duration_mins }) => requested_duration_mins],
  ['justification', ({ justification }) => justification],
  ['ticket', ({ ticket }) => ticket],
  ['decided_by_email', ({ decided_by_email }) => decided_by_email],
  ['decision_source', ({ decision_source }) => decision_source],
  ['comment', ({ comment }) => comment],
  ['revoke_comment', ({ revoke_comment }) => revoke_comment],
  ['created_at', ({ created_at }) => created_at],
  ['decided_at', ({ decided_at }) => decided_at],
  ['expires_at', ({ expires_at }) => expires_at],
  ['ended_at', ({ ended_at }) => ended_at],
]

/** RFC 4180, with the byte order mark by which spreadsheets know UTF-8. */
export function csvOf(requests: readonly AccessRequest[]): string {
  const rows = requests.map((request) => columns.map(([, value]) => cellOf(value(request))).join(','))
  return `\uFEFF${[columns.map(([name]) => cellOf(name)).join(','), ...rows].join('\r\n')}\r\n`
}
