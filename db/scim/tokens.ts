import { DomainError } from '../../domain/errors.ts'
import type { NewScimToken, ScimToken, ScimTokenInput } from '../../domain/scim.ts'
import { appendAudit } from '../audit.ts'
import type { Actor } from '../audit.ts'
import { findRow, getRow, rows, transaction } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import { assertMayGrant } from '../directory/may-grant.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'
import { createSecretToken, hashOfSecretToken } from '../secret-tokens.ts'
import { refusingTaken } from '../taken.ts'

const prefix = 'hpc'

/** How exact `last_used_at` is: not every call is a write. */
const used = '1 minute'

const columns = (db: Db) =>
  db`id, name, may_manage_privileged_groups, created_by, created_at, expires_at, last_used_at`

/** Oldest first, without values. */
export async function listScimTokens(db: Db, page: PageRequest): Promise<Page<ScimToken>> {
  const found = await rows<ScimToken>(db`
    select ${columns(db)} from scim_tokens where ${page.after}::uuid is null or id > ${page.after}
    order by id limit ${page.limit + 1}`)
  return toPage('scim_tokens', page, found)
}

async function record(tx: Tx, kind: string, actor: Actor, token: ScimToken): Promise<void> {
  const { id: object_id, name, may_manage_privileged_groups, expires_at } = token
  const detail = { name, may_manage_privileged_groups, expires_at }
  await appendAudit(tx, { kind, actor, object_type: 'scim_token', object_id, detail })
}

const unique = { scim_tokens_name: 'name' }

type Create = { id: string; input: ScimTokenInput; actor: Actor }

/**
 * What a provider does by it needs nobody's right any more: it is made by who manages for good. The same id twice is
 * the same token under another value: whoever repeats has not had the first one.
 * @throws DomainError `forbidden`, `name_taken`
 */
export function createScimToken(sql: Sql, { id, input, actor }: Create): Promise<NewScimToken> {
  const { token, hash } = createSecretToken(prefix)
  const work = transaction(sql, async (tx) => {
    await assertMayGrant(tx, actor, { permissions: ['access_requests.manage'] })
    const row = { id, ...input, token_hash: hash, created_by: actor.id }
    const { is_new, ...made } = await getRow<ScimToken & { is_new: boolean }>(tx`
      insert into scim_tokens ${tx(row)}
      on conflict (id) do update set token_hash = excluded.token_hash
      returning ${columns(tx)}, xmax = 0 as is_new`)
    if (is_new) await record(tx, 'scim_token.created', actor, made)
    return { ...made, token }
  })
  return refusingTaken(unique, work)
}

/** @throws DomainError `not_found` */
export function deleteScimToken(sql: Sql, { id, actor }: { id: string; actor: Actor }): Promise<void> {
  return transaction(sql, async (tx) => {
    const gone = await findRow<ScimToken>(
      tx`delete from scim_tokens where id = ${id} returning ${columns(tx)}`,
    )
    if (gone === undefined) throw new DomainError('not_found', 'There is no such token.')
    await record(tx, 'scim_token.deleted', actor, gone)
  })
}

/** Undefined: no token of ours, or one that is gone or has ended. */
async function findLive(db: Db, text: string): Promise<ScimToken | undefined> {
  const hash = hashOfSecretToken(prefix, text)
  if (hash === undefined) return undefined
  return findRow<ScimToken>(db`
    select ${columns(db)} from scim_tokens
    where token_hash = ${hash} and (expires_at is null or expires_at > clock_timestamp())`)
}

/** Who a provider is that shows a token: what it does is on record as `actor`. @throws DomainError `unauthenticated` */
export async function findProvisioner(
  db: Db,
  text: string,
): Promise<{ scim_token_id: string; actor: Actor }> {
  const token = await findLive(db, text)
  if (token === undefined) throw new DomainError('unauthenticated', 'The token is not valid for SCIM.')
  await db`
    update scim_tokens set last_used_at = clock_timestamp()
    where id = ${token.id} and (last_used_at is null or last_used_at < clock_timestamp() - ${used}::interval)`
  const actor: Actor = { id: null, email: `scim:${token.name}` }
  const bounded: Actor = token.may_manage_privileged_groups ? actor : { ...actor, is_provisioner: true }
  return { scim_token_id: token.id, actor: bounded }
}
