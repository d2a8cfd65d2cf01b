import { DomainError } from '../../domain/errors.ts'
import type { FieldError } from '../../domain/errors.ts'
import type { Identity } from '../../domain/directory.ts'
import { findRow, rows } from '../client.ts'
import type { Tx } from '../client.ts'

type Fields = Omit<Identity, 'id' | 'created_at' | 'updated_at'> & { id: string }

type Rule = [isKept: boolean, pointer: string, detail: string]

/** People have an address and answer for themselves. */
const rulesOfPeople = ({ email, owner_id, delegate_ids }: Fields): Rule[] => [
  [/^[^@]+@[^@]+$/.test(email), '/email', 'must be an e-mail address'],
  [owner_id === null, '/owner_id', 'must be null: a person has no owner'],
  [delegate_ids.length === 0, '/delegate_ids', 'must be empty: a person has no delegates'],
]

/** For all others somebody answers, and says what they are for, how much they may, and when that is looked at again. */
const rulesOfOthers = ({ owner_id, purpose, privilege_class, rotation_days, expires_at }: Fields): Rule[] => [
  [owner_id !== null, '/owner_id', 'a non-human identity must have an owner'],
  [(purpose ?? '').trim() !== '', '/purpose', 'a non-human identity must have a purpose'],
  [privilege_class !== null, '/privilege_class', 'a non-human identity must have a privilege class'],
  [
    rotation_days !== null || expires_at !== null,
    '/rotation_days',
    'a non-human identity must have rotation_days or expires_at',
  ],
]

const broken = (fields: Fields): FieldError[] =>
  (fields.kind === 'human' ? rulesOfPeople(fields) : rulesOfOthers(fields))
    .filter(([isKept]) => !isKept)
    .map(([, pointer, detail]) => ({ pointer, detail }))

/** What one of the same kind has lacked before, it may lack on: it stands in the way of no other change. */
function refuseKind(next: Fields, before: Fields | undefined): FieldError[] {
  const known = before?.kind === next.kind ? broken(before).map(({ pointer }) => pointer) : []
  return broken(next).filter(({ pointer }) => !known.includes(pointer))
}

type Named = { pointer: string; id: string }

/**
 * Those whom this write names. Somebody who was named before and has left since stands in the way of nothing but
 * enabling the identity again: least of all of disabling it.
 */
function namedNow(next: Fields, before: Fields | undefined): Named[] {
  const isEnabled = before?.status === 'disabled' && next.status === 'active'
  const isOwnerNew = isEnabled || before?.owner_id !== next.owner_id || before.kind !== next.kind
  const owner = isOwnerNew && next.owner_id !== null ? [{ pointer: '/owner_id', id: next.owner_id }] : []
  const known: string[] = before?.delegate_ids ?? []
  const delegates = next.delegate_ids.map((id, index) => ({ pointer: `/delegate_ids/${index}`, id }))
  return [...owner, ...delegates.filter(({ id }) => !known.includes(id))]
}

/** Holds the people that are named as they are until the transaction ends. */
async function refuseNamed(tx: Tx, next: Fields, before: Fields | undefined): Promise<FieldError[]> {
  const named = namedNow(next, before)
  if (named.length === 0) return []
  const people = await rows<{ id: string }>(tx`
    select id from identities
    where id = any (${named.map(({ id }) => id)}::uuid[]) and id <> ${next.id} and kind = 'human'
      and status = 'active' and (expires_at is null or expires_at > clock_timestamp())
    order by id for share`)
  const found = new Set(people.map(({ id }) => id))
  return named
    .filter(({ id }) => !found.has(id))
    .map(({ pointer }) => ({ pointer, detail: 'must be an active person' }))
}

/** @param before the identity as it is, for an edit; @throws DomainError `invalid_request` */
export async function assertIdentity(tx: Tx, next: Fields, before?: Fields): Promise<void> {
  const kind = refuseKind(next, before)
  const errors = kind.length > 0 ? kind : await refuseNamed(tx, next, before)
  if (errors.length === 0) return
  const detail = errors.map(({ pointer, detail }) => `${pointer.slice(1)} ${detail}`).join('; ')
  throw new DomainError('invalid_request', `The identity is not valid: ${detail}.`, { errors })
}

/** People sign in: what a machine proves itself by is not to become a way around that. */
async function assertNoCredentials(tx: Tx, id: string): Promise<void> {
  const found = await findRow(tx`select id from credentials where identity_id = ${id} limit 1`)
  if (found === undefined) return
  throw new DomainError('in_use', 'It has credentials, which a person has not: delete them first.')
}

/**
 * Owners and delegates are people, and people have no credentials.
 * @throws DomainError `in_use` when one of them would stop being a person, or a machine with credentials become one
 */
export async function assertMayChangeKind(tx: Tx, before: Fields, next: Fields): Promise<void> {
  if (before.kind === next.kind) return
  if (next.kind === 'human') await assertNoCredentials(tx, before.id)
  if (before.kind !== 'human') return
  const named = await findRow<{ email: string }>(tx`
    select email from identities i
    where owner_id = ${before.id} or exists (
      select from identity_delegates d where d.identity_id = i.id and d.delegate_id = ${before.id})
    limit 1`)
  if (named === undefined) return
  throw new DomainError('in_use', `It is owner or delegate of ${named.email}, which must be a person.`)
}
