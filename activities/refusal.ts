import { ApplicationFailure } from '@temporalio/activity'

import { isBadValue } from '../db/client.ts'
import { DomainError } from '../domain/errors.ts'

/** A refusal of the domain is final and keeps its code; everything else is tried again. */
export function asFailure(error: unknown): unknown {
  if (error instanceof DomainError) return ApplicationFailure.nonRetryable(error.message, error.code)
  if (isBadValue(error)) return ApplicationFailure.nonRetryable('There is no such thing.', 'not_found')
  return error
}

type Work<Input, Result> = (input: Input) => Promise<Result>

export const refusing =
  <Input, Result>(work: Work<Input, Result>): Work<Input, Result> =>
  (input) =>
    work(input).catch((error: unknown) => {
      throw asFailure(error)
    })
