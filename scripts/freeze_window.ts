import config from 'config'

/**
 * For the mode `block`: refuses approvals while changes are frozen. `freeze_from` and `freeze_until` of the task's
 * config are RFC 3339, e.g. 2026-12-18T17:00:00Z; a task that cannot read them refuses too.
 */
export function run(): string {
  const [from, until] = ['freeze_from', 'freeze_until'].map(readInstant)
  if (from >= until) throw new Error('freeze_from must be before freeze_until')
  const now = Date.now()
  if (now < from || now >= until) return 'no freeze'
  throw new Error(`changes are frozen until ${config.get('freeze_until')}`)
}

function readInstant(key: string): number {
  const text = config.get(key)
  const isInstant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text)
  if (!isInstant || Number.isNaN(Date.parse(text)))
    throw new Error(`${key} must be a time like 2026-12-18T17:00:00Z`)
  return Date.parse(text)
}
