import { openKeyring } from '../api/keyring.ts'
import type { Config } from '../bin/config.ts'
import { startProduct } from '../bin/product.ts'
import { readSecretsKeys } from '../bin/secrets-key.ts'
import { rotationOf } from '../bin/signing-key.ts'
import { connect, getRow } from '../db/client.ts'
import type { Sql } from '../db/client.ts'
import { createSealer } from '../db/sealing.ts'
import { say, withServers } from './servers.ts'

/** Sends a request of one identity; throws unless it is answered with the status that is expected. */
export type Call = <Body = { id: string }>(
  method: 'GET' | 'POST',
  path: string,
  expected: number,
  body?: unknown,
) => Promise<Body>

export type BenchProduct = {
  sql: Sql
  temporal_address: string
  namespace: string
  callerOf: (email: string) => Promise<Call>
}

/** The whole product on new embedded servers of its own, while the work lasts. */
export function withProduct(work: (product: BenchProduct) => Promise<void>): Promise<void> {
  return withServers(async ({ database, temporal, workflow_bundle, ...servers }) => {
    const config = { ...servers.config, port: 0, reads_per_minute: 1_000_000, writes_per_minute: 1_000_000 }
    const product = await startProduct({
      config,
      database_url: database.url,
      embedded: true,
      temporal_address: temporal.address,
      temporal_ui_url: temporal.ui_url,
      workflow_bundle,
      say,
    })
    const sql = connect(database.url)
    const callerOf = await createCallers(product.url, sql, config)
    const namespace = config.temporal_namespace
    await work({ sql, temporal_address: temporal.address, namespace, callerOf })
    await sql.end()
    await product.close()
  })
}

async function createCallers(url: string, sql: Sql, config: Config) {
  const sealer = createSealer(readSecretsKeys(config))
  const { signer } = await openKeyring({ sql, sealer, policy: rotationOf(config) }, config.public_url)
  return async (email: string): Promise<Call> => {
    const { id } = await getRow<{ id: string }>(sql`select id from identities where email = ${email}`)
    const iat = Math.floor(Date.now() / 1_000)
    const { token } = await signer.sign({ sub: id, aud: config.public_url }, { iat, exp: iat + 3_600 })
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    // The shape of an answer is what the caller says it is.
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
    return async <Body>(method: string, path: string, expected: number, body?: unknown) => {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) }
      const response = await fetch(`${url}/api/v1${path}`, { method, headers, ...sent })
      const answer: unknown = await response.json()
      if (response.status !== expected)
        throw new Error(`${path} answered ${response.status}: ${JSON.stringify(answer)}`)
      return answer as Body
    }
  }
}
