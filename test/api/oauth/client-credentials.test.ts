import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import type { JSONWebKeySet } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { basic, startMachines, tokenEventsOf } from './machines.ts'
import type { Machines } from './machines.ts'

let it: Machines

beforeAll(async () => {
  it = await startMachines()
})
afterAll(() => it.product.close())

const grant = { grant_type: 'client_credentials' }

describe('a client with a secret', () => {
  test('gets a token for an application with what it holds', async () => {
    const machine = await it.addMachine()
    const { status, headers, body } = await it.post(
      '/token',
      { ...grant, resource: it.app.slug },
      basic(machine),
    )
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 300 })
    const jwks = (await (await fetch(`${it.product.url}/.well-known/jwks.json`)).json()) as JSONWebKeySet
    const { payload } = await jwtVerify(String(body['access_token']), createLocalJWKSet(jwks), {
      issuer: it.product.url,
      audience: it.app.slug,
      typ: 'at+jwt',
    })
    expect(payload).toMatchObject({ sub: machine.id, client_id: machine.id, roles: [machine.role] })
    expect(await tokenEventsOf(it, machine.id)).toMatchObject([{ kind: 'token.issued' }])
    expect(decodeJwt(String(body['access_token'])).cnf).toBeUndefined()
  })
})
