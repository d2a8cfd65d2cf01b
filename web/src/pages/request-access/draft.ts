import type { AccessRequest } from '../../../../domain/access-request.ts'
import type { CatalogueEntry } from '../../../../domain/catalogue.ts'
import type { CustomField } from '../../../../domain/custom-fields.ts'

export type Answer = string | string[] | boolean

/** What the form holds. `mins` is null while nothing, or nonsense, is typed. */
export type Draft = {
  subject_id: string
  mins: number | null
  justification: string
  ticket: string
  answers: Record<string, Answer>
}

const blanks: Record<CustomField['type'], Answer> = {
  text: '',
  textarea: '',
  select: '',
  multi_select: [],
  checkbox: false,
}

/** What the fields of a request follow from. */
export type Asked = Pick<
  CatalogueEntry,
  'subjects' | 'allowed_durations' | 'max_duration_mins' | 'require_justification' | 'custom_fields'
>

export const emptyDraft = ({
  subjects,
  allowed_durations,
  custom_fields,
  max_duration_mins,
}: Asked): Draft => ({
  subject_id: subjects[0]?.id ?? '',
  mins: allowed_durations.length > 0 ? Math.min(...allowed_durations) : Math.min(60, max_duration_mins),
  justification: '',
  ticket: '',
  answers: Object.fromEntries(custom_fields.map(({ id, type }) => [id, blanks[type]])),
})

/** An answer of then that today's field can show. */
function keptAnswer({ id, type, options }: CustomField, { custom_answers }: AccessRequest): Answer {
  const answer: unknown = custom_answers[id]
  if (type === 'multi_select')
    return Array.isArray(answer) ? answer.filter((one) => options.includes(String(one))) : []
  if (type === 'checkbox') return answer === true
  if (typeof answer !== 'string') return ''
  return type === 'select' && !options.includes(answer) ? '' : answer
}

/** The same again, as far as the template still takes it. */
export function draftFrom(entry: CatalogueEntry, request: AccessRequest): Draft {
  const draft = emptyDraft(entry)
  const mins = request.requested_duration_mins
  const isOffered = entry.allowed_durations.length === 0 || entry.allowed_durations.includes(mins)
  const isSubject = entry.subjects.some(({ id }) => id === request.subject_id)
  return {
    subject_id: isSubject ? request.subject_id : draft.subject_id,
    mins: isOffered ? mins : draft.mins,
    justification: request.justification,
    ticket: request.ticket ?? '',
    answers: Object.fromEntries(entry.custom_fields.map((field) => [field.id, keptAnswer(field, request)])),
  }
}

/** The body of the submission. An answer that is not given is left out. */
export const submissionOf = (
  entry: CatalogueEntry,
  { subject_id, mins, justification, ticket, answers }: Draft,
) => ({
  template_id: entry.id,
  requested_duration_mins: mins ?? 0,
  justification,
  custom_answers: Object.fromEntries(
    Object.entries(answers).filter(
      ([, answer]) => answer !== '' && !(Array.isArray(answer) && answer.length === 0),
    ),
  ),
  ...(subject_id !== entry.subjects[0]?.id && { subject_id }),
  ...(ticket.trim() !== '' && { ticket }),
})
