import { DomainError } from '../../domain/errors.ts'
import type { Identity, IdentityInput, IdentityPatch } from '../../domain/directory.ts'
import { appendAudit } from '../audit.ts'
import type { Actor } from '../audit.ts'
import { findRow, getRow, rows, transaction } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'
import type { Versioned } from '../templates.ts'
import { assertVersion } from '../versions.ts'
import type { Precondition } from '../versions.ts'
import { keepingAnAdmin } from './active-admins.ts'
import { edited, isSame, whole } from '../changes.ts'
import { assertIdentity, assertMayChangeKind } from './identity-rules.ts'
import { noteHand } from './hand.ts'
import { isMade, listConcerned, noteMaker } from './makers.ts'
import { assertMayGrant } from './may-grant.ts'
import { changingActors } from '../requests/left-out.ts'
import { revokeRequestsOf } from './open-requests.ts'
import { refusingTaken } from '../taken.ts'

const columns = (db: Db) => db`id, email, display_name, kind, owner_id,
  array(select d.delegate_id from identity_delegates d where d.identity_id = identities.id order by d.delegate_id)
  as delegate_ids, purpose, privilege_class, rotation_days, expires_at, status, created_at, updated_at`

export async function findIdentity(db: Db, id: string): Promise<Versioned<Identity> | undefined> {
  const row = await findRow<Identity & { version: number }>(
    db`select ${columns(db)}, version from identities where id = ${id}`,
  )
  if (row === undefined) return undefined
  const { version, ...resource } = row
  return { resource, version }
}

/** Orphaned: a machine that no active person owns. */
const isOrphaned = (db: Db) => db`kind <> 'human' and not exists (
  select from identities o where o.id = identities.owner_id and o.kind = 'human' and o.status = 'active'
    and (o.expires_at is null or o.expires_at > clock_timestamp()))`

/** Oldest first. `orphaned`: those alone that are, or that are not. */
export async function listIdentities(
  db: Db,
  { orphaned, ...page }: PageRequest & { orphaned?: boolean | undefined },
): Promise<Page<Identity>> {
  const found = await rows<Identity>(db`
    select ${columns(db)} from identities where (${page.after}::uuid is null or id > ${page.after})
      and (${orphaned ?? null}::boolean is null or (${isOrphaned(db)}) = ${orphaned ?? null}::boolean)
    order by id limit ${page.limit + 1}`)
  return toPage('identities', page, found)
}

async function getIdentity(tx: Tx, id: string): Promise<Versioned<Identity>> {
  const identity = await findIdentity(tx, id)
  if (identity === undefined) throw new DomainError('not_found', 'There is no such identity.')
  return identity
}

/** For `refusingTaken`. */
export const uniqueInIdentities = { identities_email: 'email' }

const asRow = (fields: IdentityInput) => ({
  email: fields.email,
  display_name: fields.display_name,
  kind: fields.kind,
  owner_id: fields.owner_id,
  purpose: fields.purpose,
  privilege_class: fields.privilege_class,
  rotation_days: fields.rotation_days,
  expires_at: fields.expires_at,
  status: fields.status,
})

async function saveDelegates(tx: Tx, id: string, delegate_ids: readonly string[]): Promise<void> {
  await tx`delete from identity_delegates where identity_id = ${id}`
  await tx`insert into identity_delegates (identity_id, delegate_id)
    select ${id}, unnest(${[...delegate_ids]}::uuid[])`
}

type Create = { id: string; input: IdentityInput; actor: Actor }

/** The same id twice is the same creation. @throws DomainError `invalid_request`, `name_taken` */
export const createIdentity = (sql: Sql, create: Create): Promise<Versioned<Identity>> =>
  refusingTaken(
    uniqueInIdentities,
    transaction(sql, (tx) => insertIdentity(tx, create)),
  )

/** As `createIdentity`; an address that is taken is the database's own refusal. */
export async function insertIdentity(tx: Tx, { id, input, actor }: Create): Promise<Versioned<Identity>> {
  await assertIdentity(tx, { ...input, id })
  const inserted = await rows(
    tx`insert into identities ${tx({ id, ...asRow(input) })} on conflict (id) do nothing returning id`,
  )
  if (inserted.length === 0) return getIdentity(tx, id)
  await saveDelegates(tx, id, input.delegate_ids)
  if (input.kind === 'human') await noteMaker(tx, { id, actor })
  await noteHand(tx, { id, before: undefined, status: input.status, actor })
  const created = await getIdentity(tx, id)
  await appendAudit(tx, whole('identity.created', actor, created.resource))
  return created
}

/** Delegates are a set: their order says nothing. */
const patched = (before: Identity, { delegate_ids, ...patch }: IdentityPatch): Identity =>
  Object.assign({ ...before, delegate_ids: [...(delegate_ids ?? before.delegate_ids)].sort() }, patch)

async function save(tx: Tx, next: Identity): Promise<Versioned<Identity>> {
  await tx`update identities set ${tx(asRow(next))}, version = version + 1, updated_at = clock_timestamp()
    where id = ${next.id}`
  await saveDelegates(tx, next.id, next.delegate_ids)
  return getIdentity(tx, next.id)
}

/** Whoever is disabled or has expired loses what they asked for and were given, at once and for good. */
async function revokeIfInactive(tx: Tx, id: string, actor: Actor): Promise<void> {
  const { status, is_past } = await getRow<{ status: string; is_past: boolean }>(tx`
    select status, coalesce(expires_at <= clock_timestamp(), false) as is_past from identities where id = ${id}`)
  if (status === 'active' && !is_past) return
  const reason = status === 'disabled' ? 'identity_disabled' : 'identity_expired'
  await revokeRequestsOf(tx, { identity_id: id, actor, reason })
}

/** An end that has passed has ended everything, also where it is moved before anything has run. */
const isPast = ({ expires_at }: Identity): boolean =>
  expires_at !== null && Date.parse(expires_at) <= Date.now()

/** What ends an identity, or only says something of it, gives it to nobody. */
const harmless = new Set(['display_name', 'purpose', 'privilege_class', 'rotation_days', 'updated_at'])

/**
 * Whether somebody could come to hold by this change what the identity holds: a new address, owner, kind, life. A
 * person's own address gives them nothing; a later end does.
 */
function isHandedOn(before: Identity, next: Identity, actor: Actor): boolean {
  const { status, expires_at, ...fields } = next
  const isLonger = before.expires_at !== null && (expires_at === null || expires_at > before.expires_at)
  if (isLonger || (before.status === 'disabled' && status === 'active')) return true
  if (before.id === actor.id && before.kind === 'human' && next.kind === 'human') return false
  const bearing = Object.fromEntries(Object.entries(fields).filter(([key]) => !harmless.has(key)))
  return !isSame(before, bearing)
}

const isActedForAlike = (before: Identity, { owner_id, delegate_ids }: Identity): boolean =>
  isSame(before, { owner_id, delegate_ids })

/** For `changingActors`. */
async function listChanged(tx: Tx, { before: { resource }, next, actor }: Edit): Promise<string[]> {
  if (isMade(resource, next, actor)) return listConcerned(tx, { id: next.id, actor })
  return isActedForAlike(resource, next) ? [] : [next.id]
}

type Edit = { before: Versioned<Identity>; next: Identity; actor: Actor }

async function saveEdit(tx: Tx, { before, next, actor }: Edit): Promise<Versioned<Identity>> {
  if (isHandedOn(before.resource, next, actor)) await assertMayGrant(tx, actor, { identity_ids: [next.id] })
  await assertMayChangeKind(tx, before.resource, next)
  await assertIdentity(tx, next, before.resource)
  if (isSame(before.resource, next)) return before
  const after = await save(tx, next)
  if (isMade(before.resource, next, actor)) await noteMaker(tx, { id: next.id, actor })
  await appendAudit(tx, edited('identity.updated', actor, before.resource, after.resource))
  return after
}

type Update = { id: string; patch: IdentityPatch; actor: Actor; precondition: Precondition }

/**
 * Identities change one at a time; they are never deleted.
 * @throws DomainError `not_found`, `precondition_failed`, `forbidden`, `invalid_request`, `in_use`, `name_taken`,
 *   `last_admin`
 */
export const updateIdentity = (sql: Sql, update: Update): Promise<Versioned<Identity>> =>
  refusingTaken(
    uniqueInIdentities,
    keepingAnAdmin(sql, update.actor, (tx) => changeIdentity(tx, update)),
  )

/** As `updateIdentity`, in a transaction that keeps an admin; an address that is taken is the database's own refusal. */
export async function changeIdentity(
  tx: Tx,
  { id, patch, actor, precondition }: Update,
): Promise<Versioned<Identity>> {
  await tx`select from identities where id = ${id} for no key update`
  const before = await getIdentity(tx, id)
  assertVersion(precondition, before.version)
  const next = patched(before.resource, patch)
  const edit = { before, next, actor }
  const after = await changingActors(tx, await listChanged(tx, edit), () => saveEdit(tx, edit))
  await noteHand(tx, { id, before: before.resource.status, status: patch.status, actor })
  if (isPast(before.resource))
    await revokeRequestsOf(tx, { identity_id: id, actor, reason: 'identity_expired' })
  await revokeIfInactive(tx, id, actor)
  return after
}
