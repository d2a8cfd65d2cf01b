import { DomainError } from '../domain/errors.ts'

/** What an `If-Match` header allows: any version, or the listed ones. Undefined: no header, nothing is asked. */
export type Precondition = { any: true } | { versions: number[] } | undefined

/** @throws DomainError `precondition_failed` */
export function assertVersion(precondition: Precondition, version: number): void {
  if (precondition === undefined || 'any' in precondition || precondition.versions.includes(version)) return
  throw new DomainError(
    'precondition_failed',
    'It was changed by somebody else since you read it: read it again.',
  )
}
