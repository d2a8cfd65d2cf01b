import { DomainError } from '../../domain/errors.ts'
import type { Precondition } from '../versions.ts'

/**
 * For what is either there or not and so has no version: of all that `If-Match` can ask, only `*` can hold.
 * @throws DomainError `precondition_failed`
 */
export function assertPresent(precondition: Precondition, isPresent: boolean): void {
  if (precondition === undefined || ('any' in precondition && isPresent)) return
  throw new DomainError(
    'precondition_failed',
    'This has no version to match: leave If-Match out, or send * to change only what is there.',
  )
}
