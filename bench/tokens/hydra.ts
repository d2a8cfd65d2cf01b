import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { findFreePort } from '../../bin/embedded/port.ts'
import { basicOf, callJson } from './contender.ts'
import type { Contender, Place } from './contender.ts'
import { cores, run, startPinned, switchesOf, waitFor } from './pinned.ts'

const client = { client_id: 'bench', client_secret: 'hydra-secret' }

const configText = (issuer: string, ports: { public: number; admin: number }) =>
  JSON.stringify({
    log: { level: 'error' },
    serve: {
      public: { host: '127.0.0.1', port: ports.public },
      admin: { host: '127.0.0.1', port: ports.admin },
    },
    urls: { self: { issuer } },
    strategies: { access_token: 'jwt' },
    secrets: { system: ['0123456789abcdef0123456789abcdef'] },
    // The default of 25,000 is five times slower.
    oauth2: { hashers: { algorithm: 'pbkdf2', pbkdf2: { iterations: 1 } } },
  })

/** Ory Hydra with ES256 and its client's secret hashed once, the fastest that it can be set to. @param program its binary */
export async function startHydra(
  program: string,
  folder: string,
  { databaseUrl }: Place,
): Promise<Contender> {
  const ports = { public: await findFreePort(), admin: await findFreePort() }
  const issuer = `http://127.0.0.1:${ports.public}`
  const admin = `http://127.0.0.1:${ports.admin}/admin`
  mkdirSync(folder, { recursive: true })
  const file = path.join(folder, 'hydra.json')
  writeFileSync(file, configText(issuer, ports))
  // Without idle connections every call makes one; with fewer than calls, those under way wait for one another for ever.
  const DSN = `${await databaseUrl('hydra')}?sslmode=disable&max_conns=160&max_idle_conns=160`
  const env = { DSN, SQA_OPT_OUT: 'true' }
  await run({ core: cores.load, command: [program, 'migrate', 'sql', '-e', '--yes', '-c', file], env })
  const child = startPinned({
    core: cores.server,
    command: [program, 'serve', 'all', '--dev', '-c', file],
    env,
  })
  child.stdout?.resume()
  await waitFor(`http://127.0.0.1:${ports.admin}/health/ready`, 60)
  const key = { alg: 'ES256', kid: 'bench', use: 'sig' }
  await callJson(`${admin}/keys/hydra.jwt.access-token`, { body: key })
  const grants = { grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_basic' }
  await callJson(`${admin}/clients`, { body: { ...client, ...grants } })
  return {
    name: 'Ory Hydra, ES256, secret hashed once',
    warm_up: 5,
    request: {
      url: `${issuer}/oauth2/token`,
      authorization: basicOf(client.client_id, client.client_secret),
      body: 'grant_type=client_credentials',
    },
    ...switchesOf(child),
  }
}
