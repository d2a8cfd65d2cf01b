import type { ErrorCode, FieldError } from '../../../domain/errors.ts'

/** What the API refused with, or `network` where there was no answer at all. */
export type ProblemCode = ErrorCode | 'network'

type ProblemDocument = {
  code: ProblemCode
  status: number
  detail: string
  errors?: FieldError[]
  run_id?: string
  run_message?: string
  request_status?: string
  line?: number
  column?: number
}

/** A refusal of the API. `message` is its sentence for a person. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly document: ProblemDocument

  constructor(document: ProblemDocument) {
    super(document.detail)
    this.document = document
  }

  get code(): ProblemCode {
    return this.document.code
  }
}

export const isProblem = (error: unknown, code?: ProblemCode): error is Problem =>
  error instanceof Problem && (code === undefined || error.code === code)

/** A sentence for a person, whatever was thrown. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : 'Something went wrong.'

/** People choose from lists: no page lets them type an id. */
const plainly = (detail: string): string => (detail === 'must be an id (UUID)' ? 'choose one' : detail)

/** Each field's first error: the next one may follow from it. */
function firstErrors(error: unknown): FieldError[] {
  const errors = isProblem(error) ? (error.document.errors ?? []) : []
  return errors.filter((each, at) => errors.findIndex(({ pointer }) => pointer === each.pointer) === at)
}

/** What was said about each field, by its JSON pointer: `{'/justification': 'must not be blank'}`. */
export const fieldErrors = (error: unknown): Record<string, string> =>
  Object.fromEntries(firstErrors(error).map(({ pointer, detail }) => [pointer, plainly(detail)]))

/** A refusal of a field that was not even sent. */
export const refusalAt = (pointer: string, detail: string): Problem =>
  new Problem({ code: 'invalid_request', status: 422, detail, errors: [{ pointer, detail }] })

/** Fields that a form names otherwise than the API does. */
const labels = new Map([
  ['allowed_email_domains', 'Domains'],
  ['app_id', 'Application'],
  ['client_id', 'Client id'],
  ['display_name', 'Name'],
  ['email', 'E-mail address or handle'],
  ['expires_at', 'End'],
  ['group_claim', 'Claim that names groups'],
  ['group_mappings', 'Values and groups'],
  ['identity_id', 'Member'],
  ['jwk', 'Public key'],
  ['owner_group_id', 'Owned by'],
  ['privilege_level', 'Privilege'],
  ['rotation_days', 'Credentials change every so many days'],
])

const asWords = (name: string): string => name.replace(/_id(s?)$/, '$1').replaceAll('_', ' ')

/** `/group_mappings/0/value` as people read it: Values and groups 1 value. Which entry of a list it is, the list says. */
function nameOf(pointer: string): string {
  const [field = '', ...rest] = pointer
    .replace(/\/\d+$/, '')
    .slice(1)
    .split('/')
  const name = labels.get(field) ?? asWords(field)
  const within = rest.map((part) => (/^\d+$/.test(part) ? String(Number(part) + 1) : asWords(part)))
  return [`${name.charAt(0).toUpperCase()}${name.slice(1)}`, ...within].join(' ')
}

/** Each refused field in a line, where the refusal says no more than that. */
export function sayFields(error: unknown): string[] {
  const errors = firstErrors(error)
  const isAll = errors.every(({ pointer, detail }) => pointer !== '' && messageOf(error).includes(detail))
  if (!isAll) return []
  return [...new Set(errors.map(({ pointer, detail }) => `${nameOf(pointer)}: ${plainly(detail)}`))]
}

/** Reads what a refusal says; a proxy in between may say nothing that we know. */
export async function readProblem(response: Response): Promise<Problem> {
  const text = await response.text()
  try {
    return new Problem(JSON.parse(text) as ProblemDocument)
  } catch {
    const detail = `The server answered ${response.status}. Try again shortly.`
    return new Problem({ code: 'internal', status: response.status, detail })
  }
}

export const noAnswer = (): Problem =>
  new Problem({
    code: 'network',
    status: 0,
    detail: 'The server cannot be reached. Check the connection, then try again.',
  })
