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

const sayTold = ({ detail }: Entry): string => {
  const told = detail['notified_approvers']
  return Array.isArray(told) && told.length > 0 ? `Told: ${told.join(', ')}` : 'Nobody was told'
}

const sentences: Record<string, (entry: Entry) => string> = {
  submitted: (entry) => `Submitted${by(entry)}`,
  approvers_notified: sayTold,
  no_eligible_approver: () =>
    'Nobody is left who may decide: it waits for a new member of the group, or escalation',
  escalated: () => 'Escalated: more people may decide now',
  approved: (entry) =>
    entry.detail['decided_by'] === 'auto' ? 'Approved automatically' : `Approved${by(entry)}`,
  approval_blocked: (entry) => `The script did not let the approval${by(entry)} pass`,
  approval_lapsed: (entry) => `The approval${by(entry)} could not be carried out in time: it counts no more`,
  denied: (entry) => `Denied${by(entry)}`,
  revoked: (entry) => (entry.detail['cancelled'] === true ? `Cancelled${by(entry)}` : `Revoked${by(entry)}`),
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
export const saidWith = ({ detail }: Entry): string | undefined =>
  [detail['comment'], detail['message'], detail['reason']].map(text).find((said) => said !== '')
