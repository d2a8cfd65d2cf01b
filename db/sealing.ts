import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'

/** Text that only this place of the database opens: its table, column and row. */
export type Place = { table: string; column: string; row: string }

/** `key_id` says which key opens it, and tells nothing of the key. */
export type Sealed = { value: Buffer; key_id: string }

export type Sealer = {
  /** What `seal` uses. */
  newest_key_id: string
  seal(text: string, place: Place): Sealed
  /** @throws Error where the key is missing, or the value was changed or moved from another place */
  open(sealed: Sealed, place: Place): string
  /** Tells equal texts, and nothing of them to whoever has no key: a plain digest of a short secret can be guessed. */
  digest(text: string): string
}

const cipher = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

const keyIdOf = (key: Buffer): string =>
  createHash('sha256').update('hallpass key id\0').update(key).digest('hex').slice(0, 16)

const boundTo = ({ table, column, row }: Place, key_id: string): Buffer =>
  Buffer.from(JSON.stringify([table, column, row, key_id]))

const cannotOpen = ({ table, row }: Place) =>
  new Error(`the value of ${row} in ${table} cannot be opened: its key is missing, or it was changed`)

function decrypt(key: Buffer, { value, key_id }: Sealed, place: Place): string {
  const nonce = value.subarray(0, nonceBytes)
  const decipher = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes })
  decipher.setAAD(boundTo(place, key_id)).setAuthTag(value.subarray(-tagBytes))
  return Buffer.concat([decipher.update(value.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString()
}

/** AES-256-GCM, bound to the place and the key. @param keys of 32 bytes, the newest first: it seals, all of them open */
export function createSealer(keys: readonly Buffer[]): Sealer {
  const [newest] = keys
  if (newest === undefined) throw new Error('there is no key to seal with')
  const byId = new Map(keys.map((key) => [keyIdOf(key), key]))
  const newest_key_id = keyIdOf(newest)
  const digestKey = Buffer.from(hkdfSync('sha256', newest, '', 'hallpass digest', 32))
  return {
    newest_key_id,
    seal(text, place) {
      const nonce = randomBytes(nonceBytes)
      const sealing = createCipheriv(cipher, newest, nonce, { authTagLength: tagBytes })
      sealing.setAAD(boundTo(place, newest_key_id))
      const value = Buffer.concat([
        nonce,
        sealing.update(text, 'utf8'),
        sealing.final(),
        sealing.getAuthTag(),
      ])
      return { value, key_id: newest_key_id }
    },
    digest: (text) => createHmac('sha256', digestKey).update(text).digest('base64url'),
    open(sealed, place) {
      const key = byId.get(sealed.key_id)
      if (key === undefined) throw cannotOpen(place)
      try {
        return decrypt(key, sealed, place)
      } catch {
        throw cannotOpen(place)
      }
    },
  }
}
