import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

import type { Config } from './config.ts'
import { writePrivateFile } from './embedded/private-file.ts'

/** Keys of 32 bytes in base64, one or more, the newest first; undefined where it is not that. */
export function parseSecretsKeys(text: string): Buffer[] | undefined {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '')
  const keys = entries.map((entry) => Buffer.from(entry, 'base64'))
  const isRead = entries.every((entry, index) => /^[\w+/-]{43}=?$/.test(entry) && keys[index]?.length === 32)
  return isRead && keys.length > 0 ? keys : undefined
}

/** Two processes that start at once end with the same key: the second does not overwrite what the first has made. */
function makeKeyFile(file: string): void {
  const fresh = `${file}.${randomBytes(6).toString('hex')}.new`
  fs.mkdirSync(path.dirname(file), { recursive: true })
  writePrivateFile(fresh, `${randomBytes(32).toString('base64')}\n`)
  try {
    fs.linkSync(fresh, file)
  } catch (error) {
    if (!fs.existsSync(file)) throw error
  } finally {
    fs.rmSync(fresh)
  }
}

/** The keys that seal secrets: those that are given, or the ones in a file of this set-up that is made once and kept. */
export function readSecretsKeys({
  secrets_key,
  data_dir,
}: Pick<Config, 'secrets_key' | 'data_dir'>): Buffer[] {
  if (secrets_key !== undefined) return secrets_key
  const file = path.join(data_dir, 'secrets-key')
  if (!fs.existsSync(file)) makeKeyFile(file)
  const keys = parseSecretsKeys(fs.readFileSync(file, 'utf8'))
  if (keys === undefined) throw new Error(`${file} does not hold keys of 32 bytes in base64`)
  return keys
}
