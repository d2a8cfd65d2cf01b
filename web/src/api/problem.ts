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

/** What was said about each field, by its JSON pointer: `{'/justification': 'must not be blank'}`. */
export function fieldErrors(error: unknown): Record<string, string> {
  const errors = isProblem(error) ? (error.document.errors ?? []) : []
  return Object.fromEntries(errors.toReversed().map(({ pointer, detail }) => [pointer, detail]))
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
