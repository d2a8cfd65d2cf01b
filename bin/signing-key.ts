import fs from 'node:fs'
import path from 'node:path'

import { openKeyring } from '../api/keyring.ts'
import type { Keyring } from '../api/keyring.ts'
import type { Sql } from '../db/client.ts'
import type { Sealer } from '../db/sealing.ts'
import { importSigningKey, keepSigningKeys } from '../db/signing-keys/keep.ts'
import type { Config } from './config.ts'

/** The private key that this set-up was given, or that an earlier version made for it; undefined: the database's are all. */
function findGivenKey({ signing_key, data_dir }: Config): string | undefined {
  if (signing_key !== undefined) return signing_key
  const file = path.join(data_dir, 'signing-key.pem')
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined
}

export const rotationOf = (config: Config) => ({
  rotation_days: config.signing_key_rotation_days,
  overlap_seconds: config.signing_key_overlap_seconds,
})

type Opening = { sql: Sql; sealer: Sealer; config: Config; say: (line: string) => void }

/** The keys of the database, one of which signs; a key that is given from outside is among them. */
export async function openSigningKeys({ sql, sealer, config, say }: Opening): Promise<Keyring> {
  const keeping = { sql, sealer, policy: rotationOf(config) }
  const given = findGivenKey(config)
  const notes = given === undefined ? [] : await importSigningKey(keeping, given)
  notes.push(...(await keepSigningKeys(keeping)))
  notes.forEach(say)
  return openKeyring(keeping, config.public_url)
}
