import type { AccessRequestDetail } from '../../../domain/access-request.ts'

type Answered = Pick<AccessRequestDetail, 'custom_fields' | 'custom_answers'>

function inPlainWords(answer: unknown): string {
  if (typeof answer === 'boolean') return answer ? 'Yes' : 'No'
  if (Array.isArray(answer)) return answer.join(', ')
  return typeof answer === 'string' ? answer : ''
}

/** Each question of the template with what was answered, in the template's order. */
export const answersOf = ({ custom_fields, custom_answers }: Answered): [label: string, answer: string][] =>
  custom_fields.map(({ id, label }) => [label, inPlainWords(custom_answers[id]) || '—'])
