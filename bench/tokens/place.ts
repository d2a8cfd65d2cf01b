import { execFileSync } from 'node:child_process'

import { openKeyring } from '../../api/keyring.ts'
import { findFreePort } from '../../bin/embedded/port.ts'
import { readSecretsKeys } from '../../bin/secrets-key.ts'
import { rotationOf } from '../../bin/signing-key.ts'
import { connect, getRow } from '../../db/client.ts'
import { createSealer } from '../../db/sealing.ts'
import type { BenchServers } from '../servers.ts'
import type { Place } from './contender.ts'
import { configOf, startOurs } from './ours.ts'
import type { Admin, OurSettings } from './ours.ts'
import { cores } from './pinned.ts'

/** Databases on one PostgreSQL, which shares its core with the load. */
export function openPlace({ database }: BenchServers): Place {
  const pid = database.parts[0]?.identity.pid
  if (pid !== undefined) execFileSync('taskset', ['-cp', cores.load, String(pid)], { stdio: 'ignore' })
  return {
    url: database.url,
    async databaseUrl(name) {
      const sql = connect(database.url, { max: 1, statement_timeout_ms: 60_000 })
      await sql`create database ${sql(name)}`
      await sql.end()
      const url = new URL(database.url)
      url.pathname = `/${name}`
      return url.href
    },
  }
}

async function signInAsAdmin(settings: OurSettings): Promise<Admin> {
  const config = configOf(settings)
  const sql = connect(settings.database_url, { max: 1 })
  const keeping = { sql, sealer: createSealer(readSecretsKeys(config)), policy: rotationOf(config) }
  const { signer } = await openKeyring(keeping, config.public_url)
  const idOf = (email: string) =>
    getRow<{ id: string }>(sql`select id from identities where email = ${email}`)
  const [admin, owner] = [await idOf('admin@example.com'), await idOf('alice@example.com')]
  const iat = Math.floor(Date.now() / 1_000)
  const { token } = await signer.sign({ sub: admin.id, aud: signer.issuer }, { iat, exp: iat + 3_600 })
  await sql.end()
  return { authorization: `Bearer ${token}`, owner_id: owner.id }
}

/** The product on a database of this name. */
export async function startProductOn(servers: BenchServers, place: Place, name: string) {
  const port = await findFreePort()
  const settings: OurSettings = {
    data_dir: servers.config.data_dir,
    port,
    public_url: `http://127.0.0.1:${port}`,
    database_url: await place.databaseUrl(name),
    temporal_address: servers.temporal.address,
    workflow_bundle: servers.workflow_bundle,
  }
  const contender = await startOurs(settings, () => signInAsAdmin(settings))
  return { contender, database_url: settings.database_url }
}
