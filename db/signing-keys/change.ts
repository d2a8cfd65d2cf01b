import { randomUUIDv7 } from 'node:crypto'

import type { RotationPolicy } from '../../domain/signing-key.ts'
import { appendAudit, nobody } from '../audit.ts'
import type { Actor } from '../audit.ts'
import { getRow, transaction } from '../client.ts'
import type { Sql, Tx } from '../client.ts'
import type { Sealer } from '../sealing.ts'
import { listUsableKeys, longestUnread, openPrivatePart, placeOf, signingKeyChannel } from './find.ts'
import type { StoredKey } from './find.ts'
import { createKeyPair } from './key-pair.ts'
import type { KeyPair } from './key-pair.ts'

/** What every change of the keys is made with. */
export type Keeping = { sql: Sql; sealer: Sealer; policy: RotationPolicy }

/** The keys that this process can sign with, now or later. */
const openable = (sealer: Sealer, keys: StoredKey[]): StoredKey[] =>
  keys.filter((key) => openPrivatePart(sealer, key) !== undefined)

export async function listOpenable(tx: Tx, sealer: Sealer): Promise<StoredKey[]> {
  return openable(sealer, await listUsableKeys(tx))
}

type Addition = { pair: KeyPair; source: 'generated' | 'imported'; in_seconds: number; actor: Actor }

export async function addKey(tx: Tx, sealer: Sealer, { pair, source, in_seconds, actor }: Addition) {
  const { kid, public_part } = pair
  const { value, key_id } = sealer.seal(pair.private_part, placeOf(kid))
  const id = randomUUIDv7()
  const { signs_from } = await getRow<{ signs_from: string }>(tx`
    insert into signing_keys (id, kid, source, public_part, private_part, key_id, signs_from)
    values (${id}, ${kid}, ${source}, ${tx.json(public_part)}, ${value}, ${key_id},
      clock_timestamp() + ${in_seconds} * interval '1 second')
    returning signs_from`)
  const detail = { kid, source, signs_from }
  await appendAudit(tx, {
    kind: 'signing_key.created',
    actor,
    object_type: 'signing_key',
    object_id: id,
    detail,
  })
}

export async function addFreshKey(tx: Tx, sealer: Sealer, in_seconds: number, actor: Actor): Promise<void> {
  await addKey(tx, sealer, { pair: createKeyPair(), source: 'generated', in_seconds, actor })
}

/** The next key signs at once where none does: the one that is shown already, or a fresh one. Returns whether one was missing. */
async function ensureOneSigns(tx: Tx, sealer: Sealer): Promise<boolean> {
  const mine = await listOpenable(tx, sealer)
  if (mine.some(({ state }) => state === 'signing')) return false
  const next = mine.find(({ state }) => state === 'published')
  if (next === undefined) await addFreshKey(tx, sealer, 0, nobody)
  else await tx`update signing_keys set signs_from = clock_timestamp() where kid = ${next.kid}`
  return true
}

/** Each key stops when its successor begins; where that is taken away, it goes on. */
async function chainKeys(tx: Tx, sealer: Sealer): Promise<void> {
  const mine = (await listOpenable(tx, sealer)).map(({ kid }) => kid)
  await tx`
    update signing_keys k set stops_at = (
      select greatest(min(n.signs_from), clock_timestamp()) from signing_keys n
      where n.kid = any (${mine}) and (n.signs_from, n.id) > (k.signs_from, k.id)
      having count(*) > 0)
    where kid = any (${mine}) and (stops_at is null or stops_at > clock_timestamp())`
  await stopLost(tx, mine)
}

/**
 * A key that this process cannot open stops a day after another has begun, not at once: processes that were given
 * different keys to seal with would end each other's at every look.
 */
async function stopLost(tx: Tx, mine: string[]): Promise<void> {
  await tx`
    update signing_keys k set stops_at = clock_timestamp()
    where removed_at is null and stops_at is null and kid <> all (${mine}) and exists (
      select from signing_keys n where n.removed_at is null and n.signs_from > k.signs_from
        and n.signs_from < clock_timestamp() - interval '1 day')`
}

async function forgetPrivateParts(tx: Tx): Promise<void> {
  await tx`
    update signing_keys set private_part = null, key_id = null
    where private_part is not null and stops_at < clock_timestamp() - ${2 * longestUnread} * interval '1 second'`
}

/** Changes the keys, one process after another. One of them signs afterwards; the rest of the product is told. */
export function changingKeys<Result>(
  { sql, sealer }: Keeping,
  change: (tx: Tx) => Promise<Result>,
): Promise<Result & { was_missing: boolean }> {
  return transaction(sql, async (tx) => {
    await tx`select from guards where name = 'signing_keys' for update`
    const result = await change(tx)
    const was_missing = await ensureOneSigns(tx, sealer)
    await chainKeys(tx, sealer)
    await forgetPrivateParts(tx)
    await tx`select pg_notify(${signingKeyChannel}, '')`
    return { ...result, was_missing }
  })
}
