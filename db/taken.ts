import { DomainError } from '../domain/errors.ts'
import { violates } from './client.ts'

/**
 * @param fields the field that each unique index is about
 * @throws DomainError `name_taken` in place of the database's refusal
 */
export async function refusingTaken<Result>(
  fields: Record<string, string>,
  work: Promise<Result>,
): Promise<Result> {
  try {
    return await work
  } catch (error) {
    const field = Object.keys(fields).find((index) => violates(error, index))
    if (field === undefined) throw error
    throw new DomainError('name_taken', `There is one with that ${fields[field]} already.`, {
      errors: [{ pointer: `/${fields[field]}`, detail: 'is taken' }],
    })
  }
}
