import type { SignInProvider } from '../../domain/sign-in-provider.ts'
import { DomainError } from '../../domain/errors.ts'
import { findRow, rows } from '../client.ts'
import type { Db, Tx } from '../client.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'
import type { Sealed, Sealer } from '../sealing.ts'
import type { Versioned } from '../templates.ts'

const columns = (db: Db) => db`p.id, p.name, p.issuer, p.client_id, p.scopes, p.group_claim,
  coalesce((
    select jsonb_agg(jsonb_build_object('value', m.value, 'group_id', m.group_id) order by m.value, m.group_id)
    from sign_in_group_mappings m where m.provider_id = p.id
  ), '[]') as group_mappings,
  p.create_identities, p.allowed_email_domains, p.enabled, p.client_secret is not null as has_client_secret,
  p.created_at, p.updated_at`

/** Those by which people can sign in. */
export const listEnabledProviders = (db: Db): Promise<{ id: string; name: string }[]> =>
  rows(db`select id, name from sign_in_providers where enabled order by lower(name)`)

/** Oldest first, without secrets. */
export async function listProviders(db: Db, page: PageRequest): Promise<Page<SignInProvider>> {
  const found = await rows<SignInProvider>(db`
    select ${columns(db)} from sign_in_providers p where ${page.after}::uuid is null or p.id > ${page.after}
    order by p.id limit ${page.limit + 1}`)
  return toPage('sign_in_providers', page, found)
}

/** @throws DomainError `not_found` */
export async function getProvider(db: Db, id: string): Promise<Versioned<SignInProvider>> {
  const row = await findRow<SignInProvider & { version: number }>(
    db`select ${columns(db)}, p.version from sign_in_providers p where p.id = ${id}`,
  )
  if (row === undefined) throw new DomainError('not_found', 'There is no such sign-in provider.')
  const { version, ...resource } = row
  return { resource, version }
}

export const secretPlaceOf = (id: string) => ({
  table: 'sign_in_providers',
  column: 'client_secret',
  row: id,
})

/** A provider by which people can sign in, with what its servers are shown. */
export type OpenedProvider = Versioned<SignInProvider> & { client_secret: string | null }

/** @throws Error where the key of its secret is missing */
export async function findEnabledProvider(
  db: Db,
  sealer: Sealer,
  id: string,
): Promise<OpenedProvider | undefined> {
  const row = await findRow<{ value: Buffer | null; key_id: string }>(db`
    select client_secret as value, client_secret_key_id as key_id from sign_in_providers
    where id = ${id} and enabled`)
  if (row === undefined) return undefined
  const { value, key_id } = row
  const client_secret = value && sealer.open({ value, key_id }, secretPlaceOf(id))
  return { ...(await getProvider(db, id)), client_secret }
}

/** Holds an enabled provider as it is until the transaction ends. Undefined: it was disabled or deleted meanwhile. */
export async function holdProvider(tx: Tx, id: string): Promise<SignInProvider | undefined> {
  await tx`select from sign_in_providers where id = ${id} for share`
  const held = await findRow(tx`select id from sign_in_providers where id = ${id} and enabled`)
  return held && (await getProvider(tx, id)).resource
}

/** Seals with the newest key what an older one sealed. Returns the names of those that no key opens. */
export async function resealProviders(db: Db, sealer: Sealer): Promise<{ resealed: number; lost: string[] }> {
  const due = await rows<Sealed & { id: string; name: string }>(db`
    select id, name, client_secret as value, client_secret_key_id as key_id from sign_in_providers
    where client_secret_key_id <> ${sealer.newest_key_id}`)
  const lost: string[] = []
  for (const { id, name, value, key_id } of due) {
    const text = openOrLose(sealer, { value, key_id }, id)
    if (text === undefined) lost.push(name)
    else await reseal(db, id, { before: key_id, sealed: sealer.seal(text, secretPlaceOf(id)) })
  }
  return { resealed: due.length - lost.length, lost }
}

function openOrLose(sealer: Sealer, sealed: Sealed, id: string): string | undefined {
  try {
    return sealer.open(sealed, secretPlaceOf(id))
  } catch {
    return undefined
  }
}

/** What was saved meanwhile is sealed already. */
async function reseal(db: Db, id: string, { before, sealed }: { before: string; sealed: Sealed }) {
  await db`update sign_in_providers set client_secret = ${sealed.value}, client_secret_key_id = ${sealed.key_id}
    where id = ${id} and client_secret_key_id = ${before}`
}
