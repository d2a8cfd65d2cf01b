import { randomBytes } from 'node:crypto'
import path from 'node:path'

import { findFreePort } from '../../bin/embedded/port.ts'
import { basicOf, callJson } from './contender.ts'
import type { Contender, Place } from './contender.ts'
import { cores, run, startPinned, switchesOf, waitFor } from './pinned.ts'

const password = randomBytes(12).toString('hex')
const client = { clientId: 'bench', secret: 'keycloak-secret' }

/** A realm that signs with ES256, and a client in it. */
async function prepareRealm(url: string): Promise<void> {
  const { access_token } = await callJson<{ access_token: string }>(
    `${url}/realms/master/protocol/openid-connect/token`,
    {
      type: 'application/x-www-form-urlencoded',
      body: `grant_type=password&client_id=admin-cli&username=admin&password=${password}`,
    },
  )
  const key = {
    name: 'es256',
    providerId: 'ecdsa-generated',
    config: { priority: ['200'], ecdsaEllipticCurveKey: ['P-256'] },
  }
  const service = { ...client, serviceAccountsEnabled: true, standardFlowEnabled: false, publicClient: false }
  const realm = {
    realm: 'bench',
    enabled: true,
    defaultSignatureAlgorithm: 'ES256',
    components: { 'org.keycloak.keys.KeyProvider': [key] },
    clients: [service],
  }
  await callJson(`${url}/admin/realms`, { authorization: `Bearer ${access_token}`, body: realm })
}

/** Keycloak on PostgreSQL with ES256. @param home its unpacked folder */
export async function startKeycloak(home: string, { databaseUrl }: Place): Promise<Contender> {
  const program = path.join(home, 'bin', 'kc.sh')
  const database = new URL(await databaseUrl('keycloak'))
  const [port, management] = [await findFreePort(), await findFreePort()]
  const env = {
    KC_DB: 'postgres',
    KC_DB_URL: `jdbc:postgresql://${database.host}${database.pathname}`,
    KC_DB_USERNAME: decodeURIComponent(database.username),
    KC_DB_PASSWORD: decodeURIComponent(database.password),
    KC_HTTP_ENABLED: 'true',
    KC_HTTP_HOST: '127.0.0.1',
    KC_HTTP_PORT: String(port),
    KC_HTTP_MANAGEMENT_PORT: String(management),
    KC_HOSTNAME_STRICT: 'false',
    KC_CACHE: 'local',
    KC_LOG_LEVEL: 'error',
    KC_BOOTSTRAP_ADMIN_USERNAME: 'admin',
    KC_BOOTSTRAP_ADMIN_PASSWORD: password,
  }
  await run({ core: cores.load, command: [program, 'build', '--db=postgres', '--cache=local'], env })
  const child = startPinned({ core: cores.server, command: [program, 'start', '--optimized'], env })
  child.stdout?.resume()
  const url = `http://127.0.0.1:${port}`
  await waitFor(`${url}/realms/master`, 300)
  await prepareRealm(url)
  return {
    name: 'Keycloak, ES256',
    warm_up: 60,
    request: {
      url: `${url}/realms/bench/protocol/openid-connect/token`,
      authorization: basicOf(client.clientId, client.secret),
      body: 'grant_type=client_credentials',
    },
    ...switchesOf(child),
  }
}
