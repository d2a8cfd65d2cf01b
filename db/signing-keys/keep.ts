import type { RotationPolicy } from '../../domain/signing-key.ts'
import { nobody } from '../audit.ts'
import { findRow } from '../client.ts'
import type { Tx } from '../client.ts'
import { addFreshKey, addKey, changingKeys, listOpenable } from './change.ts'
import type { Keeping } from './change.ts'
import { findSigningKey, listUsableKeys, openPrivatePart, placeOf } from './find.ts'
import type { StoredKey } from './find.ts'
import { readKeyPair } from './key-pair.ts'
import type { KeyPair } from './key-pair.ts'
import type { Sealer } from '../sealing.ts'

async function isDue(tx: Tx, keys: StoredKey[], policy: RotationPolicy): Promise<boolean> {
  if (keys.some(({ state }) => state === 'published')) return false
  const last = keys.findLast(({ state }) => state === 'signing')
  const { rotation_days, overlap_seconds } = policy
  const row = await findRow(tx`
    select from signing_keys where kid = ${last?.kid ?? null} and clock_timestamp() >
      signs_from + ${rotation_days} * interval '1 day' - ${overlap_seconds} * interval '1 second'`)
  return row !== undefined
}

/** What an older key sealed is sealed again, so that the older key can be taken away. */
async function resealKeys(tx: Tx, sealer: Sealer, keys: StoredKey[]): Promise<void> {
  for (const key of keys.filter(({ key_id }) => key_id !== sealer.newest_key_id)) {
    const text = openPrivatePart(sealer, key)
    if (text !== undefined) await sealAgain(tx, sealer, { kid: key.kid, private_part: text })
  }
}

async function sealAgain(
  tx: Tx,
  sealer: Sealer,
  { kid, private_part }: Pick<KeyPair, 'kid' | 'private_part'>,
) {
  const { value, key_id } = sealer.seal(private_part, placeOf(kid))
  await tx`update signing_keys set private_part = ${value}, key_id = ${key_id} where kid = ${kid}`
}

/** Those that sign for whoever can open them, which this process cannot. */
async function listLost(tx: Tx, sealer: Sealer): Promise<StoredKey[]> {
  const signing = (await listUsableKeys(tx)).filter(({ state }) => state === 'signing')
  return signing.filter((key) => openPrivatePart(sealer, key) === undefined)
}

/**
 * Changes the signing key when it is old enough: the next one is made, and shown for a while before it signs.
 * Returns what an operator should be told.
 */
export async function keepSigningKeys(keeping: Keeping): Promise<string[]> {
  const { sealer, policy } = keeping
  const { was_missing, lost } = await changingKeys(keeping, async (tx) => {
    const lost = await listLost(tx, sealer)
    const mine = await listOpenable(tx, sealer)
    await resealKeys(tx, sealer, mine)
    if (await isDue(tx, mine, policy)) await addFreshKey(tx, sealer, policy.overlap_seconds, nobody)
    return { lost }
  })
  const kids = lost.map(({ kid }) => kid).join(', ')
  return was_missing && lost.length > 0
    ? [`no key opens the signing key(s) ${kids}: another one signs from now on`]
    : []
}

/** A key that was lost with the key that had sealed it comes back where it is given once more. */
async function restore(tx: Tx, sealer: Sealer, pair: KeyPair): Promise<void> {
  const mine = await listOpenable(tx, sealer)
  if (!mine.some(({ kid }) => kid === pair.kid)) await sealAgain(tx, sealer, pair)
}

/**
 * A key that is given from outside is taken in once: it signs at once where none does, and is the next one otherwise.
 * Returns what an operator should be told. @param text as JWK or PKCS8 PEM
 */
export async function importSigningKey(keeping: Keeping, text: string): Promise<string[]> {
  const { sealer, policy } = keeping
  const pair = readKeyPair(text)
  const { note } = await changingKeys(keeping, async (tx) => {
    const known = await findSigningKey(tx, pair.kid)
    if (known?.state === 'removed')
      return { note: `the signing key ${pair.kid} that is given was removed: it is not used` }
    if (known?.state === 'signing' || known?.state === 'published') await restore(tx, sealer, pair)
    if (known !== undefined) return { note: undefined }
    const isFirst = !(await listOpenable(tx, sealer)).some(({ state }) => state === 'signing')
    const in_seconds = isFirst ? 0 : policy.overlap_seconds
    await addKey(tx, sealer, { pair, source: 'imported', in_seconds, actor: nobody })
    return {
      note: isFirst ? undefined : `the signing key that is given, ${pair.kid}, signs in ${in_seconds} s`,
    }
  })
  return note === undefined ? [] : [note]
}
