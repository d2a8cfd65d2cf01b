import { DomainError } from '../../domain/errors.ts'
import type { SigningKey } from '../../domain/signing-key.ts'
import { appendAudit } from '../audit.ts'
import type { Actor } from '../audit.ts'
import type { Db, Tx } from '../client.ts'
import { addFreshKey, changingKeys, listOpenable } from './change.ts'
import type { Keeping } from './change.ts'
import { findSigningKey, toSigningKey } from './find.ts'

const missing = () => new DomainError('not_found', 'There is no such signing key.')

async function getSigningKey(db: Db, kid: string): Promise<SigningKey & { id: string }> {
  const key = await findSigningKey(db, kid)
  if (key === undefined) throw missing()
  return key
}

async function findNext(tx: Tx, { sealer }: Keeping): Promise<string | undefined> {
  return (await listOpenable(tx, sealer)).find(({ state }) => state === 'published')?.kid
}

/** The key that signs next: the one that is shown already, or a fresh one that is shown from now on. */
export async function rotateSigningKey(keeping: Keeping, actor: Actor): Promise<SigningKey> {
  const { kid } = await changingKeys(keeping, async (tx) => {
    if ((await findNext(tx, keeping)) === undefined)
      await addFreshKey(tx, keeping.sealer, keeping.policy.overlap_seconds, actor)
    return { kid: (await findNext(tx, keeping)) ?? '' }
  })
  return toSigningKey(await getSigningKey(keeping.sql, kid))
}

/**
 * Takes a key away at once: nothing that it has signed is believed any more. Where it was the one that signs, the
 * next one does. @throws DomainError `not_found`, also for one that is gone or was removed already
 */
export async function removeSigningKey(keeping: Keeping, kid: string, actor: Actor): Promise<void> {
  await changingKeys(keeping, async (tx) => {
    const { id, state } = await getSigningKey(tx, kid)
    if (state === 'gone' || state === 'removed') throw missing()
    await tx`
      update signing_keys set removed_at = clock_timestamp(), private_part = null, key_id = null where kid = ${kid}`
    await appendAudit(tx, {
      kind: 'signing_key.removed',
      actor,
      object_type: 'signing_key',
      object_id: id,
      detail: { kid, state },
    })
    return {}
  })
}
