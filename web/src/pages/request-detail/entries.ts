import type { AccessRequestDetail } from '../../../../domain/access-request.ts'

type Entry = AccessRequestDetail['timeline'][number]
type Detail = Entry['detail']

const text = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : ''
const by = ({ actor_email }: Entry): string => (actor_email === null ? '' : ` by ${actor_email}`)

function sayRun({ task_name, version, trigger, attempt, status, duration_ms }: Detail): string {
  const what = `Script “${text(task_name)}” (version ${text(version)}) for “${text(trigger)}”`
  const again = attempt === 1 ? '' : `, attempt ${text(attempt)}`
  const took = typeof duration_ms === 'number' ? ` after ${(duration_ms / 1_000).toFixed(1)} s` : ''
  return `${what}${again}: ${text(status)}${status === 'running' ? '' : took}`
}

const inList = new Intl.ListFormat('en', { type: 'conjunction' })

/** Who was told with it; `nobody`: what stands there where it was nobody. */
function sayTold({ detail }: Entry, nobody: string): string {
  const told: unknown = detail['notified_approvers']
  return Array.isArray(told) && told.length > 0 ? `told: ${inList.format(told.map(text))}` : nobody
}

/** Why the product itself ended a request, by the code that the record keeps. */
const reasons = new Map([
  ['identity_disabled', 'the identity was disabled'],
  ['identity_expired', 'the identity came to its end'],
  ['identity_inactive', 'the identity is disabled, or came to its end'],
])

const because = ({ detail }: Entry): string => {
  const reason = reasons.get(text(detail['reason']))
  return reason === undefined ? '' : `: ${reason}`
}

const sentences: Record<string, (entry: Entry) => string> = {
  submitted: (entry) => `Submitted${by(entry)}; ${sayTold(entry, 'nobody was told')}`,
  approvers_notified: (entry) => `The approvers decide; ${sayTold(entry, 'nobody was told')}`,
  no_eligible_approver: () =>
    'Nobody is left who may decide: it waits for a new member of the group, or escalation',
  escalated: (entry) => `Escalated: more people may decide now; ${sayTold(entry, 'nobody new was told')}`,
  approved: (entry) =>
    entry.detail['decided_by'] === 'auto' ? 'Approved automatically' : `Approved${by(entry)}`,
  approval_blocked: (entry) => `The script did not let the approval${by(entry)} pass`,
  approval_lapsed: (entry) => `The approval${by(entry)} could not be carried out in time: it counts no more`,
  denied: (entry) => `Denied${by(entry)}`,
  revoked: (entry) =>
    `${entry.detail['cancelled'] === true ? 'Cancelled' : 'Revoked'}${by(entry)}${because(entry)}`,
  expired: () => 'The access ran out',
  trigger_run: ({ detail }) => sayRun(detail),
  'token.issued': ({ detail }) => `Token issued for ${text(detail['aud'])}`,
}

const plain = (kind: string): string => {
  const words = kind.replaceAll(/[._]/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** What happened, in a sentence. */
export const sentenceOf = (entry: Entry): string =>
  sentences[entry.kind]?.(entry) ?? `${plain(entry.kind)}${by(entry)}`

/** What was said with it: a comment, a reason, a refusal. */
export function saidWith({ detail }: Entry): string | undefined {
  const [comment, message, reason] = [detail['comment'], detail['message'], detail['reason']].map(text)
  return [comment, message, reasons.has(reason ?? '') ? '' : reason].find((said) => said !== '')
}

/** What began with it, and the instant until which it lasts: a grant, a token. */
export function lastsUntil({ kind, detail }: Entry): { what: string; at: string } | undefined {
  if (kind === 'approved' && typeof detail['expires_at'] === 'string')
    return { what: 'The access begins, and lasts', at: detail['expires_at'] }
  if (kind === 'token.issued' && typeof detail['exp'] === 'number')
    return { what: 'It is good', at: new Date(detail['exp'] * 1_000).toISOString() }
  return undefined
}
