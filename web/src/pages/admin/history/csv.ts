import type { AccessRequest } from '../../../../../domain/access-request.ts'

/**
 * What a spreadsheet would take for the beginning of a formula (OWASP, CSV injection), in other widths too. A spreadsheet
 * that parts cells at semicolons or tabs heeds no quotes in the middle of them: there a cell begins as well.
 */
const formula = /(^|[;\t\r\n])([^\S\r\n]*)(?=[=+\-@＝＋－＠])/gu

/** An apostrophe tells that it is text. */
function cellOf(value: string | number | null): string {
  const text = value === null ? '' : String(value)
  const safe = text.replaceAll(formula, "$1$2'")
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
