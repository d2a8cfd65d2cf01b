import type { MemberChange } from '../../domain/scim.ts'
import type { Operation } from './incoming.ts'
import { attributeOf, entriesOf } from './names.ts'
import { assertNotTooMany, assertUserIds, isUserId, readMemberIds } from './members.ts'
import { ScimError } from './problem.ts'

/**
 * What the operations so far leave: who is named, and whether as a member. `is_whole`: nobody else is one; `read`: how
 * many names that took.
 */
type Outcome = { is_whole: boolean; named: Map<string, boolean>; read: number }

const one = /^members\[value eq "([^"\\]{1,100})"\]$/i

/** A single one is only ever removed: all that is kept of it is that it is there. @throws ScimError */
function applyToOne(outcome: Outcome, { op, path = '' }: Operation): void {
  const id = one.exec(path)?.[1]
  if (id === undefined || op !== 'remove')
    throw new ScimError('invalidPath', 'Members are at the path members; remove takes members[value eq "…"].')
  outcome.named.set(id.toLowerCase(), false)
}

async function applyToMembers(outcome: Outcome, { op, path, value }: Operation): Promise<void> {
  if (path !== 'members') return applyToOne(outcome, { op, path, value })
  const isRest = op === 'remove' && value === undefined
  const ids = isRest ? [] : await readMemberIds(value)
  if (isRest || op === 'replace') {
    outcome.is_whole = true
    outcome.named.clear()
  }
  for (const id of ids) outcome.named.set(id, op !== 'remove')
  outcome.read += ids.length
  assertNotTooMany(outcome.read)
  return undefined
}

const isMembers = (name: string): boolean => attributeOf(name) === 'members'

/** What an operation without a path says of members, and what it says of all else. @throws ScimError */
function split(operation: Operation): Operation[] {
  if (operation.path === undefined && operation.op === 'remove')
    throw new ScimError('noTarget', 'What is removed is said by a path.')
  const entries = operation.path === undefined ? entriesOf(operation.value) : undefined
  if (!entries) return [operation]
  const members = entries.filter(([name]) => isMembers(name))
  const rest = entries.filter(([name]) => !isMembers(name))
  const parts = members.map(([path, value]) => ({ ...operation, path, value }))
  return rest.length > 0 ? [...parts, { ...operation, value: Object.fromEntries(rest) }] : parts
}

function asChange({ is_whole, named }: Outcome): MemberChange {
  const namedAs = (isMember: boolean) => [...named].filter(([, is]) => is === isMember).map(([id]) => id)
  const added = namedAs(true)
  assertUserIds(added)
  return { is_whole, added, removed: is_whole ? [] : namedAs(false).filter(isUserId) }
}

/**
 * Parts what operations say of a group's members from the rest, so that nobody has to look at those whom they do not
 * name. `members` is absent where they name none. @throws ScimError
 */
export async function readMemberChange(
  operations: readonly Operation[],
): Promise<{ members?: MemberChange; others: Operation[] }> {
  const parts = operations.flatMap(split)
  const isOfMembers = ({ path }: Operation) => path !== undefined && isMembers(path)
  const others = parts.filter((part) => !isOfMembers(part))
  if (others.length === parts.length) return { others }
  const outcome: Outcome = { is_whole: false, named: new Map(), read: 0 }
  for (const part of parts.filter(isOfMembers)) await applyToMembers(outcome, part)
  return { members: asChange(outcome), others }
}
