import { generateKeyPairSync, randomUUID } from 'node:crypto'

import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { rows } from '../../../db/client.ts'
import { findFreePort } from '../../../bin/embedded/port.ts'
import { startTestProduct } from '../../setup/product.ts'
import type { Caller } from '../../setup/product.ts'
import { basic, expectOAuthError, startMachines } from './machines.ts'
import type { Machine, Machines, OAuthAnswer } from './machines.ts'

type Fields = { [key: string]: unknown }

let it: Machines
let alice: Caller
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signing_key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const secrets_key = [Buffer.alloc(32, 7)]

beforeAll(async () => {
  it = await startMachines({ signing_key, secrets_key })
  alice = await it.product.as('alice')
})
afterAll(() => it.product.close())

const grant = { grant_type: 'client_credentials' }
const mint = async (machine: Machine, resource: string | undefined = it.app.slug): Promise<string> => {
  const { body } = await it.post('/token', { ...grant, ...(resource && { resource }) }, basic(machine))
  return String(body['access_token'])
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const introspect = (
  token: string,
  headers: Record<string, string>,
  fields: Fields = {},
): Promise<OAuthAnswer> => it.post('/introspect', { token, ...fields }, headers)
const isActive = async (
  token: string,
  headers: Record<string, string> = bearer(it.admin.token),
): Promise<unknown> => {
  const { status, body } = await introspect(token, headers)
  expect(status).toBe(200)
  if (body['active'] !== true) expect(body).toEqual({ active: false })
  return body['active']
}

describe('a token is active', () => {
  test('for the machine that it speaks for, with all that it says', async () => {
    const machine = await it.addMachine()
    const token = await mint(machine)
    const { body, headers } = await introspect(token, basic(machine))
    expect(body).toEqual({ ...decodeJwt(token), active: true, token_type: 'Bearer', username: machine.role })
    expect(headers.get('cache-control')).toBe('no-store')
  })

  test('for an admin, and for whoever owns the application; for nobody else', async () => {
    const [machine, server, stranger] = [await it.addMachine(), await it.addMachine(), await it.addMachine()]
    const token = await mint(machine)
    expect(await isActive(token)).toBe(true)
    expect(await isActive(token, basic(server))).toBe(false)
    await it.product.sql`update applications set owner_group_id = ${server.group_id} where id = ${it.app.id}`
    expect(await isActive(token, basic(server))).toBe(true)
    for (const headers of [basic(stranger), bearer(alice.token), bearer(await mint(stranger, ''))])
      expect(await isActive(token, headers)).toBe(false)
    const own = await mint(machine, '')
    expect([await isActive(own), await isActive(own, basic(server))]).toEqual([true, false])
    await it.product.sql`update applications set owner_group_id = null where id = ${it.app.id}`
  })

  const ends: [string, (machine: Machine & { group_id: string; mapping_id: string }) => Promise<unknown>][] =
    [
      [
        'its identity is disabled',
        ({ id }) => it.admin.call('PATCH', `/identities/${id}`, { status: 'disabled' }),
      ],
      [
        'its identity has ended',
        ({ id }) => it.product.sql`update identities set expires_at = now() where id = ${id}`,
      ],
      [
        'its identity has another name',
        ({ id }) => it.admin.call('PATCH', `/identities/${id}`, { email: randomUUID() }),
      ],
      [
        'it belongs to the group no more',
        ({ id, group_id }) => it.admin.call('DELETE', `/groups/${group_id}/members/${id}`),
      ],
      [
        'its membership has ended',
        ({ id }) => it.product.sql`update memberships set expires_at = now() where identity_id = ${id}`,
      ],
      [
        'its group has another name',
        ({ group_id }) => it.admin.call('PUT', `/groups/${group_id}`, { name: randomUUID() }),
      ],
      [
        'its group gives the claim no more',
        ({ group_id, mapping_id }) => it.admin.call('DELETE', `/groups/${group_id}/mappings/${mapping_id}`),
      ],
      [
        'the claim has another value',
        ({ mapping_id }) => it.product.sql`update app_mappings set value = 'other' where id = ${mapping_id}`,
      ],
    ]
  test.each(ends)('until %s', async (_, end) => {
    const machine = await it.addMachine()
    const token = await mint(machine)
    expect(await isActive(token)).toBe(true)
    await end(machine)
    expect(await isActive(token)).toBe(false)
  })

  test('still, where more has been given since', async () => {
    const machine = await it.addMachine()
    const token = await mint(machine)
    const other = await it.addMachine()
    await it.admin.call('PUT', `/groups/${other.group_id}/members/${machine.id}`)
    expect(await isActive(token)).toBe(true)
  })

  test('never, where it is none of ours, or was changed', async () => {
    const token = await mint(await it.addMachine())
    const [head, claims, signature] = token.split('.')
    const forged = Buffer.from(JSON.stringify({ ...decodeJwt(token), roles: ['db-admin'] })).toString(
      'base64url',
    )
    const texts = [
      'x',
      'a.b.c',
      `${head}.${forged}.${signature}`,
      `${head}.${claims}.`,
      'x'.repeat(20_000),
      `${token}x`,
    ]
    for (const text of texts) expect(await isActive(text)).toBe(false)
  })
})

describe('whoever asks', () => {
  test('says who they are, in one way', async () => {
    const machine = await it.addMachine()
    const token = await mint(machine)
    const own = await mint(machine, '')
    expectOAuthError(await introspect(token, {}), 401, 'invalid_client')
    expectOAuthError(await introspect(token, basic({ ...machine, secret: 'x' })), 401, 'invalid_client')
    for (const bad of [token, 'x', `${own}x`])
      expectOAuthError(await introspect(token, bearer(bad)), 401, 'invalid_token')
    const twice = { client_id: machine.id, client_secret: machine.secret }
    expectOAuthError(await introspect(token, bearer(own), twice), 400, 'invalid_request')
    expectOAuthError(await introspect(token, basic(machine), twice), 400, 'invalid_request')
    expectOAuthError(await it.post('/introspect', {}, basic(machine)), 400, 'invalid_request')
    expectOAuthError(
      await it.post('/introspect', { token: [token, token] }, basic(machine)),
      400,
      'invalid_request',
    )
    expect((await introspect(token, {}, twice)).body['active']).toBe(true)
  })
})

describe('a revoked token', () => {
  const revoke = (token: string, headers: Record<string, string>) => it.post('/revoke', { token }, headers)

  test('is refused at once by every process, and is on record once', async () => {
    const port = await findFreePort()
    const second = await startTestProduct({
      port,
      public_url: it.product.url,
      database_url: it.product.database_url,
      without_worker: true,
      signing_key,
      secrets_key,
    })
    const machine = await it.addMachine()
    const token = await mint(machine, '')
    const me = async () =>
      (await fetch(`http://127.0.0.1:${port}/api/v1/me`, { headers: bearer(token) })).status
    expect(await me()).toBe(200)
    const answers = await Promise.all([1, 2, 3].map(() => revoke(token, basic(machine))))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(await me()).toBe(401)
    expect(await isActive(token)).toBe(false)
    expectOAuthError(await introspect(token, bearer(token)), 401, 'invalid_token')
    const events = await rows(it.product.sql`
      select kind, actor_id from audit_events where kind = 'token.revoked' and detail ->> 'jti' = ${decodeJwt(token).jti ?? ''}`)
    expect(events).toEqual([{ kind: 'token.revoked', actor_id: machine.id }])
    await second.close()
  })

  test('is the caller’s own, or revoked by an admin', async () => {
    const [machine, other] = [await it.addMachine(), await it.addMachine()]
    const token = await mint(machine)
    expectOAuthError(await revoke(token, basic(other)), 400, 'unauthorized_client')
    expectOAuthError(await revoke(token, bearer(alice.token)), 400, 'unauthorized_client')
    expectOAuthError(await revoke(token, {}), 401, 'invalid_client')
    expect(await isActive(token)).toBe(true)
    expect((await revoke(token, bearer(it.admin.token))).status).toBe(200)
    expect(await isActive(token)).toBe(false)
  })

  test('need not be a token at all', async () => {
    const machine = await it.addMachine()
    for (const text of ['x', 'a.b.c', 'x'.repeat(20_000)])
      expect((await revoke(text, basic(machine))).status).toBe(200)
  })
})

test('A token minted while a membership is taken away carries its claim only if it came first', async () => {
  for (let round = 0; round < 5; round++) {
    const machine = await it.addMachine()
    const racers = Array.from({ length: 10 }, () => mint(machine))
    await it.admin.call('DELETE', `/groups/${machine.group_id}/members/${machine.id}`)
    const later = await Promise.all(Array.from({ length: 10 }, () => mint(machine)))
    for (const token of later) expect(decodeJwt(token)['roles']).toBeUndefined()
    for (const token of await Promise.all(racers))
      if (decodeJwt(token)['roles'] !== undefined) expect(await isActive(token)).toBe(false)
  }
})
