import { openKeyring } from '../api/keyring.ts'
import { connect, findRow } from '../db/client.ts'
import { createSealer } from '../db/sealing.ts'
import { loadConfig } from './config.ts'
import { readSecretsKeys } from './secrets-key.ts'
import { rotationOf } from './signing-key.ts'
import { findRunningProduct } from './startup/run-file.ts'

const ttlSeconds = 3_600

/** A refusal that is told in one line. */
class Refused extends Error {}

function findProduct() {
  const config = loadConfig(process.env)
  const product = findRunningProduct(config.data_dir)
  if (product === undefined) throw new Refused('Hallpass is not running here: start it with npm start.')
  if (!product.embedded) throw new Refused('Tokens are printed only where the database is the embedded one.')
  return { config, product }
}

/** A token of the product's own API for an active identity. @throws Refused */
export async function printableToken(email: string): Promise<{ token: string; url: string }> {
  const { config, product } = findProduct()
  const sql = connect(product.database_url, { max: 1 })
  try {
    const identity = await findRow<{ id: string }>(sql`
      select id from identities where lower(email) = lower(${email}) and status = 'active'
        and (expires_at is null or expires_at > clock_timestamp())`)
    if (identity === undefined) throw new Refused(`There is no active identity ${email}.`)
    const sealer = createSealer(readSecretsKeys(config))
    const { signer } = await openKeyring({ sql, sealer, policy: rotationOf(config) }, product.public_url)
    const iat = Math.floor(Date.now() / 1_000)
    const { token } = await signer.sign(
      { sub: identity.id, aud: product.public_url },
      { iat, exp: iat + ttlSeconds },
    )
    return { token, url: product.url }
  } finally {
    await sql.end()
  }
}

if (import.meta.main) {
  const email = process.argv[2]
  try {
    if (email === undefined) throw new Refused('Usage: npm run -s token -- EMAIL')
    process.stdout.write(`${(await printableToken(email)).token}\n`)
  } catch (error) {
    process.stderr.write(`  ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
