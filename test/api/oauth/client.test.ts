import { generateKeyPair, exportJWK, decodeJwt } from 'jose'
import * as openid from 'openid-client'
import type { ClientAuth, Configuration } from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { startIssuer } from './issuer.ts'
import type { Issuer } from './issuer.ts'
import { startMachines, tokenEventsOf } from './machines.ts'
import type { Machines } from './machines.ts'

/** A client that is not ours does all that machines do, against the server that people get. */
let it: Machines
let issuer: Issuer

beforeAll(async () => {
  ;[it, issuer] = await Promise.all([startMachines(), startIssuer()])
})
afterAll(() => Promise.all([it.product.close(), issuer.close()]))

const discover = (client_id: string, authentication: ClientAuth): Promise<Configuration> =>
  openid.discovery(new URL(it.product.url), client_id, undefined, authentication, {
    algorithm: 'oauth2',
    execute: [openid.allowInsecureRequests],
  })

const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const jwtType = 'urn:ietf:params:oauth:token-type:jwt'

const me = (token: string, scheme = 'Bearer') =>
  fetch(`${it.product.url}/api/v1/me`, { headers: { authorization: `${scheme} ${token}` } })

async function addKey(id: string, algorithm: string) {
  const { privateKey, publicKey } = await generateKeyPair(algorithm)
  await it.addCredential(id, { type: 'public_key', jwk: { ...(await exportJWK(publicKey)), kid: algorithm } })
  return { key: privateKey, kid: algorithm }
}

describe('discovery', () => {
  test('says what there is, and nothing that there is not', async () => {
    const metadata = (await discover('x', openid.None())).serverMetadata()
    const { url } = it.product
    expect(metadata).toMatchObject({
      issuer: url,
      token_endpoint: `${url}/oauth/token`,
      introspection_endpoint: `${url}/oauth/introspect`,
      revocation_endpoint: `${url}/oauth/revoke`,
      jwks_uri: `${url}/.well-known/jwks.json`,
      grant_types_supported: ['client_credentials', exchangeGrant],
      response_types_supported: [],
    })
    expect(metadata['authorization_endpoint']).toBeUndefined()
    expect((await fetch(metadata.jwks_uri ?? '')).status).toBe(200)
    const { token_endpoint, introspection_endpoint, revocation_endpoint } = metadata
    for (const endpoint of [token_endpoint, introspection_endpoint, revocation_endpoint])
      expect((await fetch(endpoint ?? '')).status).toBe(405)
    for (const name of ['token', 'introspection', 'revocation']) {
      expect(metadata[`${name}_endpoint_auth_methods_supported`]).toEqual(
        expect.arrayContaining(['client_secret_basic', 'client_secret_post', 'private_key_jwt']),
      )
    }
  })
})

describe('a client gets a token that says what it holds', () => {
  const methods: [string, (machine: { id: string; secret: string }) => Promise<ClientAuth> | ClientAuth][] = [
    ['client_secret_basic', ({ secret }) => openid.ClientSecretBasic(secret)],
    ['client_secret_post', ({ secret }) => openid.ClientSecretPost(secret)],
    ['private_key_jwt of ES256', async ({ id }) => openid.PrivateKeyJwt(await addKey(id, 'ES256'))],
    ['private_key_jwt of RS256', async ({ id }) => openid.PrivateKeyJwt(await addKey(id, 'RS256'))],
    ['private_key_jwt of Ed25519', async ({ id }) => openid.PrivateKeyJwt(await addKey(id, 'Ed25519'))],
  ]
  test.each(methods)('by %s', async (_, authenticate) => {
    const machine = await it.addMachine()
    const config = await discover(machine.id, await authenticate(machine))
    const token = await openid.clientCredentialsGrant(config, { resource: it.app.slug })
    expect(token).toMatchObject({ token_type: 'bearer', expires_in: 300 })
    expect(decodeJwt(token.access_token)).toMatchObject({
      sub: machine.id,
      client_id: machine.id,
      aud: it.app.slug,
      roles: [machine.role],
    })
    expect(await tokenEventsOf(it, machine.id)).toMatchObject([
      {
        kind: 'token.issued',
        object_id: it.app.id,
        detail: { grant_type: 'client_credentials', claims: { roles: [machine.role] } },
      },
    ])
    expect((await openid.tokenIntrospection(config, token.access_token)).active).toBe(true)
    await openid.tokenRevocation(config, token.access_token)
    expect(await openid.tokenIntrospection(config, token.access_token)).toEqual({ active: false })
  })

  test('by the token of its platform, which it exchanges', async () => {
    const machine = await it.addMachine()
    const workload = {
      issuer: issuer.url,
      audience: 'hallpass',
      subject: 'repo:acme/shop:ref:refs/heads/main',
    }
    await it.addCredential(machine.id, { type: 'federated', ...workload })
    const config = await discover(machine.id, openid.None())
    const token = await openid.genericGrantRequest(config, exchangeGrant, {
      subject_token: await issuer.token({ sub: workload.subject }),
      subject_token_type: jwtType,
      resource: it.app.slug,
    })
    expect(token['issued_token_type']).toBe('urn:ietf:params:oauth:token-type:access_token')
    expect(decodeJwt(token.access_token)).toMatchObject({ sub: machine.id, roles: [machine.role] })
    expect(await tokenEventsOf(it, machine.id)).toMatchObject([{ detail: { grant_type: exchangeGrant } }])
  })
})

describe('a token for the product itself', () => {
  test('opens the API and carries no entitlement, until it is revoked', async () => {
    const machine = await it.addMachine()
    const config = await discover(machine.id, openid.ClientSecretBasic(machine.secret))
    const { access_token } = await openid.clientCredentialsGrant(config)
    expect(decodeJwt(access_token)).toEqual({
      iss: it.product.url,
      aud: it.product.url,
      sub: machine.id,
      client_id: machine.id,
      iat: expect.any(Number) as number,
      exp: expect.any(Number) as number,
      jti: expect.any(String) as string,
    })
    const answer = await me(access_token)
    expect([answer.status, await answer.json()]).toMatchObject([200, { id: machine.id }])
    await openid.tokenRevocation(config, access_token)
    expect((await me(access_token)).status).toBe(401)
  })

  test('notes the last use of the credential that it was given for', async () => {
    const machine = await it.addMachine()
    const config = await discover(machine.id, openid.ClientSecretBasic(machine.secret))
    await openid.clientCredentialsGrant(config)
    const { body } = await it.admin.call<{ data: { last_used_at: string }[] }>(
      'GET',
      `/identities/${machine.id}/credentials`,
    )
    expect(Date.now() - Date.parse(body.data[0]?.last_used_at ?? '')).toBeLessThan(60_000)
  })
})

describe('a token that is bound to a key (DPoP)', () => {
  test('is of use to whoever has the key alone', async () => {
    const machine = await it.addMachine()
    const config = await discover(machine.id, openid.ClientSecretBasic(machine.secret))
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
    const token = await openid.clientCredentialsGrant(config, {}, { DPoP })
    expect(token.token_type).toBe('dpop')
    expect(decodeJwt(token.access_token).cnf).toEqual({ jkt: expect.any(String) as string })
    const url = new URL(`${it.product.url}/api/v1/me`)
    const call = (options?: object) =>
      openid.fetchProtectedResource(config, token.access_token, url, 'GET', undefined, undefined, options)
    const answer = await call({ DPoP })
    expect([answer.status, await answer.json()]).toMatchObject([200, { id: machine.id }])
    expect((await me(token.access_token)).status).toBe(401)
    expect((await me(token.access_token, 'DPoP')).status).toBe(401)
    const other = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
    expect((await call({ DPoP: other }).catch(() => ({ status: 401 }))).status).toBe(401)
    const told = await openid.tokenIntrospection(config, token.access_token)
    expect(told).toMatchObject({
      active: true,
      token_type: 'DPoP',
      cnf: { jkt: expect.any(String) as string },
    })
  })

  test.each(['RS256', 'Ed25519'])('may be bound to a key of %s', async (algorithm) => {
    const machine = await it.addMachine()
    const config = await discover(machine.id, openid.ClientSecretBasic(machine.secret))
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair(algorithm))
    const token = await openid.clientCredentialsGrant(config, { resource: it.app.slug }, { DPoP })
    expect(decodeJwt(token.access_token)).toMatchObject({ roles: [machine.role], cnf: {} })
  })
})
