import { ApplicationFailure } from '@temporalio/activity'

import { DomainError } from '../domain/errors.ts'

/** A refusal of the domain is final and keeps its code; everything else is tried again. */
export function asFailure(error: unknown): unknown {
  return error instanceof DomainError ? ApplicationFailure.nonRetryable(error.message, error.code) : error
}

type Work<Input, Result> = (input: Input) => Promise<Result>

export const refusing =
  <Input, Result>(work: Work<Input, Result>): Work<Input, Result> =>
  (input) =>
    work(input).catch((error: unknown) => {
      throw asFailure(error)
    })
