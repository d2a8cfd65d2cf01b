import type { CatalogueEntry } from '../../../../domain/catalogue.ts'
import { inWords } from '../../ui/durations.ts'

type Deciders = Pick<CatalogueEntry, 'auto_approve' | 'approver_groups'>

const either = new Intl.ListFormat('en', { type: 'disjunction' })

/** Who lets it through, in a sentence's part. */
export function whoDecides({ auto_approve, approver_groups }: Deciders): string {
  if (auto_approve) return 'Nobody has to: it is granted at once'
  if (approver_groups.length === 0) return 'An admin of Hallpass'
  return `Somebody in ${either.format(approver_groups)}`
}

export const howLong = ({ allowed_durations, max_duration_mins }: CatalogueEntry): string =>
  allowed_durations.length > 0
    ? either.format(allowed_durations.toSorted((one, other) => one - other).map(inWords))
    : `As long as you say, up to ${inWords(max_duration_mins)}`
