import { randomUUIDv7 } from 'node:crypto'

import type { Permission } from '../domain/directory.ts'
import { DomainError } from '../domain/errors.ts'
import { findRow, getRow, transaction } from './client.ts'
import type { Sql } from './client.ts'

/** `permissions`: what the caller needed for it. */
export type StoredAnswer = {
  status: number
  headers: Record<string, string>
  body: string
  permissions: Permission[]
}

/** A first attempt goes ahead under `operation_id`, and so does one whose answer was lost; a later one gets `answer`. */
export type Reservation = { operation_id: string; answer: StoredAnswer | undefined }

type Attempt = { caller_id: string; key: string; fingerprint: string }

type Row = {
  fingerprint: string
  operation_id: string
  is_locked: boolean
  status: number | null
  headers: Record<string, string>
  body: string
  permissions: Permission[]
}

/** Renewed while the call goes on; an attempt whose process died is taken over after it. */
export const leaseSeconds = 45

/** @throws DomainError `idempotency_key_reused`, `idempotency_in_progress` */
export function reserveKey(sql: Sql, { caller_id, key, fingerprint }: Attempt): Promise<Reservation> {
  return transaction(sql, async (tx) => {
    const lease = tx`clock_timestamp() + ${leaseSeconds} * interval '1 second'`
    const fresh = await findRow<{ operation_id: string }>(tx`
      insert into idempotency_keys (caller_id, key, fingerprint, operation_id, locked_until)
      values (${caller_id}, ${key}, ${fingerprint}, ${randomUUIDv7()}, ${lease})
      on conflict (caller_id, key) do nothing returning operation_id`)
    if (fresh) return { operation_id: fresh.operation_id, answer: undefined }
    const known = await getRow<Row>(tx`
      select fingerprint, operation_id, coalesce(locked_until > clock_timestamp(), false) as is_locked,
        status, headers, body, coalesce(permissions, '{}') as permissions
      from idempotency_keys where caller_id = ${caller_id} and key = ${key} for update`)
    if (known.fingerprint !== fingerprint) {
      throw new DomainError('idempotency_key_reused', 'This Idempotency-Key was used for another call.')
    }
    if (known.status !== null)
      return { operation_id: known.operation_id, answer: { ...known, status: known.status } }
    if (known.is_locked) {
      throw new DomainError(
        'idempotency_in_progress',
        'The first call with this Idempotency-Key has not ended yet.',
      )
    }
    await tx`update idempotency_keys set locked_until = ${lease} where caller_id = ${caller_id} and key = ${key}`
    return { operation_id: known.operation_id, answer: undefined }
  })
}

export async function storeAnswer(
  sql: Sql,
  { caller_id, key }: Attempt,
  answer: StoredAnswer,
): Promise<void> {
  await sql`update idempotency_keys set status = ${answer.status}, headers = ${sql.json(answer.headers)},
    body = ${answer.body}, permissions = ${answer.permissions}, locked_until = null where caller_id = ${caller_id} and key = ${key}`
}

/** The call goes on. */
export async function renewKey(sql: Sql, { caller_id, key }: Attempt): Promise<void> {
  await sql`update idempotency_keys set locked_until = clock_timestamp() + ${leaseSeconds} * interval '1 second'
    where caller_id = ${caller_id} and key = ${key} and status is null`
}

/** The call may be made again, as the same operation. */
export async function releaseKey(sql: Sql, { caller_id, key }: Attempt): Promise<void> {
  await sql`update idempotency_keys set locked_until = null where caller_id = ${caller_id} and key = ${key}`
}

/** In steps, so that no statement lasts; what one sweep leaves, the next takes. */
export async function forgetOldKeys(sql: Sql): Promise<void> {
  const forget = () => sql`delete from idempotency_keys where (caller_id, key) in (
    select caller_id, key from idempotency_keys
    where created_at < clock_timestamp() - interval '24 hours' limit 2000)`
  for (let steps = 20; steps > 0 && (await forget()).count === 2_000; steps--);
}
