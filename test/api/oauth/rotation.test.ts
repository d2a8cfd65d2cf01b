import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import * as openid from 'openid-client'
import type { ClientAuth, Configuration } from 'openid-client'
import { afterAll, beforeAll, expect, test } from 'vitest'

import type { SigningKey } from '../../../domain/signing-key.ts'
import { eventually } from '../../setup/product.ts'
import { startIssuer } from './issuer.ts'
import type { Issuer } from './issuer.ts'
import { startMachines } from './machines.ts'
import type { Machines } from './machines.ts'

const overlap = 2
const rotations = 3
const subject = 'repo:acme/shop:ref:refs/heads/main'
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'

let it: Machines
let issuer: Issuer

beforeAll(async () => {
  ;[it, issuer] = await Promise.all([startMachines({ signing_key_overlap_seconds: overlap }), startIssuer()])
}, 120_000)
afterAll(() => Promise.all([it.product.close(), issuer.close()]))

const discover = (client_id: string, authentication: ClientAuth): Promise<Configuration> =>
  openid.discovery(new URL(it.product.url), client_id, undefined, authentication, {
    algorithm: 'oauth2',
    execute: [openid.allowInsecureRequests],
  })

const mintBySecret = (config: Configuration) =>
  openid.clientCredentialsGrant(config, { resource: it.app.slug })

const mintByExchange = async (config: Configuration) =>
  openid.genericGrantRequest(config, exchangeGrant, {
    subject_token: await issuer.token({ sub: subject }),
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    resource: it.app.slug,
  })

/** Keeps the JWKS for as long as it may, as a relying party does. */
function startRelyingParty(jwks_uri: string) {
  const keys = createRemoteJWKSet(new URL(jwks_uri), {
    cooldownDuration: 0,
    cacheMaxAge: (overlap / 2) * 1_000,
  })
  return (token: string) => jwtVerify(token, keys, { audience: it.app.slug, typ: 'at+jwt' })
}

async function rotate(latest: () => string | undefined): Promise<void> {
  const { body } = await it.admin.call<SigningKey>('POST', '/signing-keys/rotate')
  await eventually(`tokens by ${body.kid}`, () => Promise.resolve(latest() === body.kid), 60_000)
}

test(`A client that is not ours fails nowhere while ${rotations} rotations go on under it`, async () => {
  const machine = await it.addMachine()
  await it.addCredential(machine.id, {
    type: 'federated',
    issuer: issuer.url,
    audience: 'hallpass',
    subject,
  })
  const bySecret = await discover(machine.id, openid.ClientSecretBasic(machine.secret))
  const byExchange = await discover(machine.id, openid.None())
  const verify = startRelyingParty(bySecret.serverMetadata().jwks_uri ?? '')
  const kids: string[] = []
  const over = new AbortController()
  const work = async (mint: () => Promise<{ access_token: string }>) => {
    while (!over.signal.aborted) {
      const { access_token } = await mint()
      kids.push(decodeProtectedHeader(access_token).kid ?? '')
      expect((await verify(access_token)).payload['roles']).toEqual([machine.role])
      expect((await openid.tokenIntrospection(bySecret, access_token)).active).toBe(true)
    }
  }
  const working = [
    ...Array.from({ length: 4 }, () => work(() => mintBySecret(bySecret))),
    ...Array.from({ length: 2 }, () => work(() => mintByExchange(byExchange))),
  ]
  const rotating = async () => {
    for (let done = 0; done < rotations; done++) await rotate(() => kids.at(-1))
    over.abort()
  }
  await Promise.all([rotating(), ...working]).finally(() => over.abort())
  expect(new Set(kids).size).toBe(rotations + 1)
}, 240_000)
