import { DomainError } from '../../domain/errors.ts'
import type {
  NewPersonalAccessToken,
  PersonalAccessToken,
  PersonalAccessTokenInput,
} from '../../domain/personal-access-token.ts'
import type { Scope } from '../../domain/session.ts'
import { appendAudit } from '../audit.ts'
import { findRow, getRow, rows, transaction } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import { findCaller } from '../directory/caller.ts'
import type { Caller } from '../directory/caller.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'
import { createSecretToken } from '../secret-tokens.ts'

export const tokenPrefix = 'hpp'

/** How exact `last_used_at` is: not every call is a write. */
const used = '1 minute'

const columns = (db: Db) => db`id, name, scopes, created_at, expires_at, last_used_at`

/** Those of one person, oldest first, without values. */
export async function listTokens(
  db: Db,
  identity_id: string,
  page: PageRequest,
): Promise<Page<PersonalAccessToken>> {
  const found = await rows<PersonalAccessToken>(db`
    select ${columns(db)} from personal_access_tokens
    where identity_id = ${identity_id} and (${page.after}::uuid is null or id > ${page.after})
    order by id limit ${page.limit + 1}`)
  return toPage('personal_access_tokens', page, found)
}

async function assertEnd(tx: Tx, expires_at: string): Promise<void> {
  const { is_good } = await getRow<{ is_good: boolean }>(tx`
    select ${expires_at}::timestamptz > clock_timestamp()
      and ${expires_at}::timestamptz <= clock_timestamp() + interval '1 year' as is_good`)
  if (is_good) return
  throw new DomainError('invalid_request', 'A personal access token ends within a year from now.', {
    errors: [{ pointer: '/expires_at', detail: 'must be in the future, a year from now at the latest' }],
  })
}

const audited = ({ id, name, scopes, expires_at }: PersonalAccessToken) => ({
  object_type: 'personal_access_token',
  object_id: id,
  detail: { name, scopes, expires_at },
})

/** Disabling the person waits for it, or is seen by it. @throws DomainError `forbidden` */
async function holdPerson(tx: Tx, { id }: Caller): Promise<void> {
  await tx`select from identities where id = ${id} for share`
  const person = await findCaller(tx, id)
  if (person?.kind === 'human') return
  throw new DomainError('forbidden', 'Personal access tokens are for active people.')
}

type Create = { id: string; input: PersonalAccessTokenInput; caller: Caller }

/**
 * The same id twice is the same token under another value: whoever repeats has not had the first one.
 * @throws DomainError `forbidden` for whoever is no person; `invalid_request`
 */
export function createToken(sql: Sql, { id, input, caller }: Create): Promise<NewPersonalAccessToken> {
  const { token, hash } = createSecretToken(tokenPrefix)
  return transaction(sql, async (tx) => {
    await holdPerson(tx, caller)
    await assertEnd(tx, input.expires_at)
    const made = await getRow<PersonalAccessToken>(tx`
      insert into personal_access_tokens ${tx({ id, ...input, identity_id: caller.id, token_hash: hash })}
      on conflict (id) do update set token_hash = excluded.token_hash
      returning ${columns(tx)}`)
    await appendAudit(tx, { kind: 'personal_access_token.created', actor: caller, ...audited(made) })
    return { ...made, token }
  })
}

/** @throws DomainError `not_found`, also for the token of somebody else */
export function deleteToken(sql: Sql, { id, caller }: { id: string; caller: Caller }): Promise<void> {
  return transaction(sql, async (tx) => {
    const gone = await findRow<PersonalAccessToken>(tx`
      delete from personal_access_tokens where id = ${id} and identity_id = ${caller.id}
      returning ${columns(tx)}`)
    if (gone === undefined) throw new DomainError('not_found', 'You have no such personal access token.')
    await appendAudit(tx, { kind: 'personal_access_token.deleted', actor: caller, ...audited(gone) })
  })
}

export type FoundToken = { id: string; identity_id: string; scopes: Scope[]; expires_at: string }

/** The token of this hash, if it goes on; it counts as used. */
export async function useToken(db: Db, hash: Buffer): Promise<FoundToken | undefined> {
  const found = await findRow<FoundToken & { is_due: boolean }>(db`
    select t.id, t.identity_id, t.scopes, t.expires_at,
      coalesce(t.last_used_at < clock_timestamp() - ${used}::interval, true) as is_due
    from personal_access_tokens t join identities i on i.id = t.identity_id and i.kind = 'human'
    where t.token_hash = ${hash} and t.expires_at > clock_timestamp()`)
  if (found?.is_due)
    await db`update personal_access_tokens set last_used_at = clock_timestamp() where id = ${found.id}`
  return found
}
