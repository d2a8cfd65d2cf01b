import { setImmediate } from 'node:timers/promises'

import { z } from 'zod'

import { withLowerNames } from './names.ts'
import { ScimError } from './problem.ts'

/** One call names at most so many; more take several. */
const mostNamed = 25_000

/** Between so many others have their turn. */
const atOnce = 1_000

const Member = z.object({ value: z.string(), type: z.string().nullish() })

function idOf(sent: unknown): string {
  const { success, data } = Member.safeParse(withLowerNames(sent))
  if (!success) throw new ScimError('invalidValue', 'A member is {"value": "id of a user"}.')
  if (data.type?.toLowerCase() === 'group')
    throw new ScimError('invalidValue', 'Groups have users as members, not groups.')
  return data.value.toLowerCase()
}

/** @throws ScimError */
export function assertNotTooMany(named: number): void {
  if (named <= mostNamed) return
  throw new ScimError('tooMany', `One call names at most ${mostNamed} members: send several.`, 413)
}

/** The ids in a list of members, as they are written; one alone stands for a list of it. @throws ScimError */
export async function readMemberIds(sent: unknown): Promise<string[]> {
  const list: unknown[] = Array.isArray(sent) ? sent : [sent]
  assertNotTooMany(list.length)
  const ids = new Set<string>()
  for (let from = 0; from < list.length; from += atOnce) {
    if (from > 0) await setImmediate()
    for (const member of list.slice(from, from + atOnce)) ids.add(idOf(member))
  }
  return [...ids]
}

const userId = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/

export const isUserId = (id: string): boolean => userId.test(id)

/** @throws ScimError for an id that no user can have */
export function assertUserIds(ids: readonly string[]): void {
  const wrong = ids.find((id) => !isUserId(id))
  if (wrong === undefined) return
  throw new ScimError('invalidValue', `Members are users, and ${wrong.slice(0, 100)} is none.`)
}
