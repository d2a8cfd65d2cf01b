import type { RequestView } from './contract.ts'

export type Step = { kind: 'escalate' | 'expire'; at: number; summary: string }

const utc = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T', ' ').concat(' UTC')

/** What time will do to a request that nobody touches. */
export function nextStep({
  status,
  escalate_at,
  escalation_group,
  expires_at,
}: RequestView): Step | undefined {
  if (status === 'pending' && escalate_at !== null) {
    return {
      kind: 'escalate',
      at: escalate_at,
      summary: `escalate to ${escalation_group ?? 'the escalation group'}`,
    }
  }
  if (status === 'approved' && expires_at !== null)
    return { kind: 'expire', at: expires_at, summary: 'the access ends' }
  return undefined
}

function describePending(view: RequestView, blocking_command_id: string | undefined): string[] {
  const groups = view.approver_groups.length > 0 ? view.approver_groups.join(', ') : 'the admins'
  const isRunning = blocking_command_id !== undefined
  return [
    isRunning
      ? `**Pending**: an approval waits for the trigger task *${view.script}*`
      : `**Pending**: waits for a decision`,
    '',
    `- May decide: ${groups}`,
    ...(isRunning ? [`- Command: \`${blocking_command_id}\``] : []),
    ...(view.escalate_at === null
      ? []
      : [`- Escalates to ${view.escalation_group} at ${utc(view.escalate_at)}`]),
  ]
}

const endings: Record<Exclude<RequestView['status'], 'pending' | 'approved'>, string> = {
  denied: '**Denied**: no access was given',
  revoked: '**Revoked**: cancelled before a decision, or ended before its time',
  expired: '**Expired**: the access ended at its time',
}

/** The Markdown that operators read at the head of a workflow. */
export function describeView(view: RequestView, blocking_command_id: string | undefined): string {
  if (view.status === 'pending') return describePending(view, blocking_command_id).join('\n')
  if (view.status === 'approved') return `**Approved**: the access ends at ${utc(view.expires_at ?? 0)}`
  return endings[view.status]
}

/** What fits into one search attribute: the server ends a workflow that sends more than 2 KB. */
const searchableChars = 1_200

/** As many of the names, from the first on, as operators can search by. */
export function searchable(names: readonly string[]): string[] {
  let used = 0
  return names.filter((name) => (used += encodeURIComponent(name).length + 4) <= searchableChars)
}
