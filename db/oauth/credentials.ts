import { DomainError } from '../../domain/errors.ts'
import type { Credential } from '../../domain/credential.ts'
import { appendAudit } from '../audit.ts'
import { whole } from '../changes.ts'
import { findRow, getRow, rows, transaction } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import { holds } from '../directory/caller.ts'
import type { Caller } from '../directory/caller.ts'
import { assertMayGrant } from '../directory/may-grant.ts'
import { changingActors } from '../requests/left-out.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'
import { refusingTaken } from '../taken.ts'

const columns = (
  db: Db,
) => db`id, identity_id, identity_id as client_id, type, kid, jwk, issuer, audience, subject,
  expires_at, created_by, created_at, last_used_at`

/** The name of an identity's list of credentials, for its cursors. */
export const credentialsOf = (identity_id: string): string => `credentials/${identity_id}`

type Asking = { identity_id: string; actor: Caller }

type Held = { kind: string; email: string; owner_id: string | null }

/** Its owner, and whoever manages the directory. @throws DomainError `not_found`, `forbidden` */
function assertMayManage(identity: Held | undefined, actor: Caller): Held {
  if (identity === undefined) throw new DomainError('not_found', 'There is no such identity.')
  if (holds(actor, 'directory.manage') || identity.owner_id === actor.id) return identity
  throw new DomainError('forbidden', 'This needs the permission directory.manage, or to be its owner.')
}

const findHolder = (db: Db, identity_id: string): Promise<Held | undefined> =>
  findRow<Held>(db`select kind, email, owner_id from identities where id = ${identity_id}`)

/** @throws DomainError `not_found`, `forbidden` */
export async function assertMayManageCredentials(db: Db, { identity_id, actor }: Asking): Promise<void> {
  assertMayManage(await findHolder(db, identity_id), actor)
}

/** @throws DomainError `not_found`, `forbidden` */
export async function listCredentials(
  db: Db,
  { identity_id, actor }: Asking,
  page: PageRequest,
): Promise<Page<Credential>> {
  assertMayManage(await findHolder(db, identity_id), actor)
  const found = await rows<Credential>(db`
    select ${columns(db)} from credentials
    where identity_id = ${identity_id} and (${page.after}::uuid is null or id > ${page.after})
    order by id limit ${page.limit + 1}`)
  return toPage(credentialsOf(identity_id), page, found)
}

async function findCredential(db: Db, identity_id: string, id: string): Promise<Credential> {
  const found = await findRow<Credential>(db`
    select ${columns(db)} from credentials where id = ${id} and identity_id = ${identity_id}`)
  if (found === undefined) throw new DomainError('not_found', 'There is no such credential.')
  return found
}

type One = Asking & { id: string }

/** @throws DomainError `not_found`, `forbidden` */
export async function getCredential(db: Db, { identity_id, actor, id }: One): Promise<Credential> {
  assertMayManage(await findHolder(db, identity_id), actor)
  return findCredential(db, identity_id, id)
}

/** What is kept of a new credential, by its type. */
export type CredentialFields =
  | { type: 'client_secret'; secret_hash: Buffer }
  | { type: 'public_key'; kid: string; jwk: Record<string, string> }
  | { type: 'federated'; issuer: string; audience: string; subject: string }

type Create = One & { fields: CredentialFields; expires_at: string | null }

/** Rotation needs two secrets at a time; keys are found by their id, workloads by their name. */
const most = { client_secret: 2, public_key: 10, federated: 50 }

async function assertRoom(tx: Tx, { id, identity_id, fields }: Create): Promise<void> {
  const { live } = await getRow<{ live: number }>(tx`
    select count(*)::int as live from credentials
    where identity_id = ${identity_id} and type = ${fields.type} and id <> ${id}
      and (expires_at is null or expires_at > clock_timestamp())`)
  if (live < most[fields.type]) return
  const what = fields.type.replace('_', ' ')
  throw new DomainError(
    'in_use',
    `It has ${live} live credentials of type ${what}: delete one of them first.`,
  )
}

async function assertFuture(tx: Tx, expires_at: string | null): Promise<void> {
  const { is_past } = await getRow<{ is_past: boolean }>(
    tx`select coalesce(${expires_at}::timestamptz <= clock_timestamp(), false) as is_past`,
  )
  if (!is_past) return
  throw new DomainError('invalid_request', 'The credential would have ended already.', {
    errors: [{ pointer: '/expires_at', detail: 'must be in the future' }],
  })
}

/** Holds the identity, so that it neither turns human nor gets a third secret meanwhile. */
async function lockHolder(tx: Tx, { identity_id, actor }: Asking): Promise<Held> {
  const found = await findRow<Held>(
    tx`select kind, email, owner_id from identities where id = ${identity_id} for no key update`,
  )
  const held = assertMayManage(found, actor)
  if (held.kind === 'human')
    throw new DomainError('invalid_request', 'People sign in: only a non-human identity has credentials.', {
      errors: [{ pointer: '', detail: 'the identity is a person' }],
    })
  return held
}

const asRow = (fields: CredentialFields, tx: Tx) =>
  fields.type === 'public_key' ? { ...fields, jwk: tx.json(fields.jwk) } : fields

const unique = { credentials_kid: 'jwk/kid', credentials_workload: 'subject' }

async function insertCredential(tx: Tx, create: Create): Promise<Credential> {
  const { id, identity_id, actor, fields, expires_at } = create
  await assertFuture(tx, expires_at)
  await assertRoom(tx, create)
  const row = { id, identity_id, expires_at, created_by: actor.id, ...asRow(fields, tx) }
  const { is_new } = await getRow<{ is_new: boolean }>(tx`
    insert into credentials ${tx(row as never)}
    on conflict (id) do update set secret_hash = excluded.secret_hash returning xmax = 0 as is_new`)
  const created = await findCredential(tx, identity_id, id)
  if (is_new) await appendAudit(tx, whole('credential.created', actor, created))
  else if (fields.type === 'client_secret')
    await appendAudit(tx, whole('credential.replaced', actor, created))
  return created
}

/**
 * Whoever makes it decides nothing that the identity asks for while it is good. The same id twice is the same creation.
 * Of a secret whose answer was lost the repeat makes a new one in its place: what nobody has seen is of no use to
 * anybody, and what somebody has seen after all is not taken from them unnoticed.
 * @throws DomainError `not_found`, `forbidden`, `invalid_request`, `in_use`, `name_taken`
 */
export function createCredential(sql: Sql, create: Create): Promise<Credential> {
  const { identity_id, actor } = create
  const work = transaction(sql, async (tx) => {
    const { owner_id } = await lockHolder(tx, create)
    return changingActors(tx, [identity_id], async () => {
      if (owner_id !== actor.id) await assertMayGrant(tx, actor, { identity_ids: [identity_id] })
      return insertCredential(tx, create)
    })
  })
  return refusingTaken(unique, work)
}

/** What it has signed or shown before stays valid for as long as tokens live. @throws DomainError `not_found`, `forbidden` */
export function deleteCredential(sql: Sql, { identity_id, actor, id }: One): Promise<void> {
  return transaction(sql, async (tx) => {
    assertMayManage(await findHolder(tx, identity_id), actor)
    await tx`select from credentials where id = ${id} for update`
    const credential = await findCredential(tx, identity_id, id)
    await tx`delete from credentials where id = ${id}`
    await appendAudit(tx, whole('credential.deleted', actor, credential))
  })
}
