import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** What is only compared is kept as this. */
export const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest()

/** 256 random bits as base64url. */
export const randomText = (): string => randomBytes(32).toString('base64url')

function checksumOf(text: string): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32(text))
  return bytes.toString('base64url')
}

/** `<prefix>_<43 base64url>_<6 of a CRC-32>`: scanners find it, and one that was mistyped is known without a look-up. */
export function createSecretToken(prefix: string): { token: string; hash: Buffer } {
  const text = `${prefix}_${randomText()}`
  const token = `${text}_${checksumOf(text)}`
  return { token, hash: hashOf(token) }
}

/** The hash of a token of this prefix; undefined where it is none. */
export function hashOfSecretToken(prefix: string, token: string): Buffer | undefined {
  const isShaped = /^[\w-]{43}_[\w-]{6}$/.test(token.slice(prefix.length + 1))
  const isOurs = token.startsWith(`${prefix}_`) && checksumOf(token.slice(0, -7)) === token.slice(-6)
  return isShaped && isOurs ? hashOf(token) : undefined
}
