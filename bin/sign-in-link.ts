import { connect } from '../db/client.ts'
import { createPersonLink } from '../db/sign-in/links.ts'
import { loadConfig } from './config.ts'
import { findRunningProduct } from './startup/run-file.ts'

/** A refusal that is told in one line. */
class Refused extends Error {}

function findDatabase(): { database_url: string; public_url: string } {
  const config = loadConfig(process.env)
  const product = findRunningProduct(config.data_dir)
  if (product !== undefined && config.database_url === undefined) return product
  if (config.database_url === undefined)
    throw new Refused('Hallpass is not running here, and DATABASE_URL names no database.')
  return { database_url: config.database_url, public_url: config.public_url }
}

/** A link by which an active person signs in, once, within ten minutes. @throws Refused */
async function printableLink(email: string): Promise<string> {
  const { database_url, public_url } = findDatabase()
  const sql = connect(database_url, { max: 1 })
  try {
    const code = await createPersonLink(sql, email)
    if (code === undefined) throw new Refused(`There is no active person ${email}.`)
    return `${public_url}/sign-in#code=${code}`
  } finally {
    await sql.end()
  }
}

const email = process.argv[2]
try {
  if (email === undefined) throw new Refused('Usage: npm run -s sign-in-link -- EMAIL')
  process.stdout.write(`${await printableLink(email)}\n`)
} catch (error) {
  process.stderr.write(`  ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
