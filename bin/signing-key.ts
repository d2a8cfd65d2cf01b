import { generateKeyPairSync } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

import type { Config } from './config.ts'
import { writePrivateFile } from './embedded/private-file.ts'

/** The private ES256 key of this set-up: the one that is given, or one of its own that is made once and kept. */
export function readSigningKey({ signing_key, data_dir }: Config): string {
  if (signing_key !== undefined) return signing_key
  const file = path.join(data_dir, 'signing-key.pem')
  if (!fs.existsSync(file)) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    writePrivateFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  }
  return fs.readFileSync(file, 'utf8')
}
