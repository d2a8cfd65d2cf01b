import { DomainError } from '../../domain/errors.ts'
import type { Secret, SecretInput } from '../../domain/secret.ts'
import { appendAudit } from '../audit.ts'
import type { Actor } from '../audit.ts'
import { findRow, getRow, rows, transaction } from '../client.ts'
import type { Db, Sql, Tx } from '../client.ts'
import { toPage } from '../paging.ts'
import type { Page, PageRequest } from '../paging.ts'
import type { Sealed, Sealer } from '../sealing.ts'
import { assertMayLoosen, listTasksNaming } from './guards.ts'

const columns = (db: Db) => db`name, hosts, created_at, updated_at`

const placeOf = (name: string) => ({ table: 'secrets', column: 'value', row: name })

/** Oldest first, without values. */
export async function listSecrets(db: Db, page: PageRequest): Promise<Page<Secret>> {
  const found = await rows<Secret & { id: string }>(db`
    select id, ${columns(db)} from secrets where ${page.after}::uuid is null or id > ${page.after}
    order by id limit ${page.limit + 1}`)
  const { data, next_cursor } = toPage('secrets', page, found)
  return { data: data.map(({ id: _, ...secret }) => secret), next_cursor }
}

const missing = () => new DomainError('not_found', 'There is no such secret.')

async function findId(tx: Tx, name: string): Promise<string | undefined> {
  return (await findRow<{ id: string }>(tx`select id from secrets where name = ${name} for update`))?.id
}

type Save = { id: string; name: string; input: SecretInput; actor: Actor }

/**
 * `id` is that of the row where the name is new. Two at once: the later one stays. What a script that can hold an approval
 * back is told by a secret is part of what it decides; to delete the secret only makes it refuse.
 * @throws DomainError `forbidden`
 */
export function putSecret(sql: Sql, sealer: Sealer, { id, name, input, actor }: Save): Promise<Secret> {
  const { value, hosts } = input
  const sealed = sealer.seal(value, placeOf(name))
  return transaction(sql, async (tx) => {
    const known = await findId(tx, name)
    await assertMayLoosen(tx, actor, await listTasksNaming(tx, name))
    const { id: object_id, ...secret } = await getRow<Secret & { id: string }>(tx`
      insert into secrets ${tx({ id, name, hosts, ...sealed })}
      on conflict (name) do update set hosts = excluded.hosts, value = excluded.value, key_id = excluded.key_id,
        updated_at = clock_timestamp()
      returning id, ${columns(tx)}`)
    await appendAudit(tx, {
      kind: known === undefined ? 'secret.created' : 'secret.updated',
      actor,
      object_type: 'secret',
      object_id,
      detail: { name, hosts },
    })
    return secret
  })
}

/** @throws DomainError `not_found` */
export function deleteSecret(sql: Sql, { name, actor }: { name: string; actor: Actor }): Promise<void> {
  return transaction(sql, async (tx) => {
    const id = await findId(tx, name)
    if (id === undefined) throw missing()
    await tx`delete from secrets where id = ${id}`
    await appendAudit(tx, {
      kind: 'secret.deleted',
      actor,
      object_type: 'secret',
      object_id: id,
      detail: { name },
    })
  })
}

/** The names of all secrets: what a run is given placeholders for. */
export async function listSecretNames(db: Db): Promise<string[]> {
  return (await rows<{ name: string }>(db`select name from secrets order by name`)).map(({ name }) => name)
}

/** @throws Error where its key is missing */
export async function openSecret(
  db: Db,
  sealer: Sealer,
  name: string,
): Promise<{ value: string; hosts: string[] } | undefined> {
  const row = await findRow<Sealed & { hosts: string[] }>(
    db`select value, key_id, hosts from secrets where name = ${name}`,
  )
  return row && { value: sealer.open(row, placeOf(name)), hosts: row.hosts }
}

async function resealNext(
  tx: Tx,
  sealer: Sealer,
  after: string,
): Promise<{ name: string; failed: boolean } | undefined> {
  const row = await findRow<Sealed & { name: string }>(tx`
    select name, value, key_id from secrets where key_id <> ${sealer.newest_key_id} and name > ${after}
    order by name limit 1 for update`)
  if (row === undefined) return undefined
  try {
    const { value, key_id } = sealer.seal(sealer.open(row, placeOf(row.name)), placeOf(row.name))
    await tx`update secrets set value = ${value}, key_id = ${key_id} where name = ${row.name}`
    return { name: row.name, failed: false }
  } catch {
    return { name: row.name, failed: true }
  }
}

/** Seals with the newest key what an older one sealed. Returns how many it was, and the names of those that no key opens. */
export async function resealSecrets(sql: Sql, sealer: Sealer): Promise<{ resealed: number; lost: string[] }> {
  const lost: string[] = []
  let resealed = 0
  for (let after = ''; ; ) {
    const next = await transaction(sql, (tx) => resealNext(tx, sealer, after))
    if (next === undefined) return { resealed, lost }
    if (next.failed) lost.push(next.name)
    else resealed += 1
    after = next.name
  }
}
