import type { CryptoKey, JWK } from 'jose'

import type { Actor } from '../db/audit.ts'
import type { Keeping } from '../db/signing-keys/change.ts'
import { listUsableKeys, longestUnread, openPrivatePart } from '../db/signing-keys/find.ts'
import type { StoredKey } from '../db/signing-keys/find.ts'
import { keepSigningKeys } from '../db/signing-keys/keep.ts'
import { removeSigningKey, rotateSigningKey } from '../db/signing-keys/rotate.ts'
import { DomainError } from '../domain/errors.ts'
import type { SigningKey } from '../domain/signing-key.ts'
import { createSigner, importKey, publicJwk } from './token-signer.ts'
import type { Keys, TokenSigner } from './token-signer.ts'

/** The signing keys of the database, as this process has read them. */
export type Keyring = {
  signer: TokenSigner
  /** Seconds for which others may keep the JWKS: a new key is there for longer before it signs. */
  jwks_max_age: number
  /** Reads the keys again. A copy that is too old is used no more. */
  refresh(): Promise<void>
  /** Rotates when it is time. Returns what an operator should be told. */
  keep(): Promise<string[]>
  rotate(actor: Actor): Promise<SigningKey>
  /** @throws DomainError `not_found` */
  remove(kid: string, actor: Actor): Promise<void>
}

/** Imports each key once: opening and importing cost more than reading. */
function createImports({ sealer }: Pick<Keeping, 'sealer'>) {
  const imported = new Map<string, { verifying: CryptoKey; signing?: CryptoKey }>()

  async function importOne(stored: StoredKey) {
    const known = imported.get(stored.kid)
    if (known?.signing !== undefined) return known
    const text = openPrivatePart(sealer, stored)
    const key = {
      verifying: known?.verifying ?? (await importKey(publicJwk(stored.kid, stored.public_part))),
      ...(text !== undefined && { signing: await importKey(JSON.parse(text) as JWK) }),
    }
    imported.set(stored.kid, key)
    return key
  }

  return async (stored: StoredKey[]): Promise<Keys> => {
    const held = await Promise.all(stored.map(async (key) => ({ ...key, ...(await importOne(key)) })))
    const last = held.findLast(({ state, signing }) => state === 'signing' && signing !== undefined)
    return {
      signing: last?.signing && { kid: last.kid, key: last.signing },
      verifying: new Map(held.map(({ kid, verifying }) => [kid, verifying])),
      jwks: { keys: held.map(({ kid, public_part }) => publicJwk(kid, public_part)) },
    }
  }
}

/** Reads the keys, and again whenever it is told to; somebody has to tell it. @param issuer see createSigner */
export async function openKeyring(keeping: Keeping, issuer: string): Promise<Keyring> {
  const toKeys = createImports(keeping)
  let held: { keys: Keys; read_at: number } | undefined
  let reading: Promise<void> = Promise.resolve()

  async function read(): Promise<void> {
    const read_at = performance.now()
    held = { keys: await toKeys(await listUsableKeys(keeping.sql)), read_at }
  }

  /** One after another, so that what was read earlier never takes the place of what was read later. */
  function refresh(): Promise<void> {
    reading = reading.catch(() => undefined).then(read)
    return reading
  }

  function current(): Keys {
    if (held === undefined || performance.now() - held.read_at > longestUnread * 1_000)
      throw new DomainError('unavailable', 'The signing keys cannot be read; try again shortly.')
    return held.keys
  }

  await refresh()
  return {
    signer: createSigner(issuer, current),
    jwks_max_age: Math.min(300, Math.floor(keeping.policy.overlap_seconds / 2)),
    refresh,
    keep: () => keepSigningKeys(keeping),
    rotate: async (actor) => {
      const key = await rotateSigningKey(keeping, actor)
      await refresh()
      return key
    },
    remove: async (kid, actor) => {
      await removeSigningKey(keeping, kid, actor)
      await refresh()
    },
  }
}
