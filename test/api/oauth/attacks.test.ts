import { randomUUID } from 'node:crypto'

import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { readForeignJwt } from '../../../api/oauth/foreign-jwt.ts'
import { rows } from '../../../db/client.ts'
import { callerOf } from '../../setup/product.ts'
import { nowSeconds, startIssuer } from './issuer.ts'
import type { Issuer } from './issuer.ts'
import { basic, expectOAuthError, startMachines, tokenEventsOf } from './machines.ts'
import type { Machine, Machines } from './machines.ts'

type Fields = { [key: string]: unknown }

let it: Machines
let issuer: Issuer

beforeAll(async () => {
  ;[it, issuer] = await Promise.all([startMachines(), startIssuer()])
})
afterAll(() => Promise.all([it.product.close(), issuer.close()]))

const grant = { grant_type: 'client_credentials' }
const tokenOf = async (machine: Machine, fields: Fields = {}): Promise<string> => {
  const { status, body } = await it.post('/token', { ...grant, ...fields }, basic(machine))
  expect(status).toBe(200)
  return String(body['access_token'])
}
const basicOf = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })

// What takes time that grows with the square of the text takes minutes for these.
test('Text that is no JSON costs no more than text that is, in a token that anybody may send', () => {
  const text = Buffer.from(`"${'\\"'.repeat(6_000)}`).toString('base64url')
  for (const token of [`e30.${text}.AA`, `${text}.e30.AA`])
    for (let tries = 0; tries < 20; tries++) expect(() => readForeignJwt(token, 16_384)).toThrow()
}, 30_000)

describe('a client whose name is none', () => {
  test.each([
    ['a word', 'x:y'],
    ['nothing', ':'],
    ['a NUL', '\0:y'],
    ['half a character', '%ED%A0%80:y'],
  ])('is refused, and on record, when it is %s beside another one', async (_, name) => {
    const client_id = randomUUID()
    const before = await refusals()
    expectOAuthError(await it.post('/token', { ...grant, client_id }, basicOf(name)), 401, 'invalid_client')
    expect((await refusals()) - before).toBe(1)
  })
})

const refusals = async () =>
  (await rows(it.product.sql`select id from audit_events where kind = 'token.refused'`)).length

describe('a token for much', () => {
  const addMuch = async () => {
    const machine = await it.addMachine()
    for (let count = 0; count < 9; count++) {
      const mapping = { name: randomUUID(), claim: 'roles', value: `${count}${'é'.repeat(999)}` }
      const { body } = await it.admin.call<{ id: string }>(
        'POST',
        `/applications/${it.app.id}/mappings`,
        mapping,
      )
      await it.admin.call('PUT', `/groups/${machine.group_id}/mappings/${body.id}`)
    }
    return machine
  }

  test('is introspected and revoked like one for little', async () => {
    const machine = await addMuch()
    const token = await tokenOf(machine, { resource: it.app.slug })
    expect(token.length).toBeGreaterThan(8_192)
    expect((await it.post('/introspect', { token }, basic(machine))).body).toMatchObject({ active: true })
    expect((await it.post('/revoke', { token }, basic(machine))).status).toBe(200)
    expect((await it.post('/introspect', { token }, basic(machine))).body).toEqual({ active: false })
    const jti = decodeJwt(token).jti ?? ''
    expect(await rows(it.product.sql`select jti from revoked_tokens where jti = ${jti}`)).toHaveLength(1)
  })
})

describe('the token of a workload', () => {
  test('that ended while its issuer was asked for keys begets none', async () => {
    const machine = await it.addMachine()
    const slow = await startIssuer()
    const subject = `job-${randomUUID()}`
    await it.addCredential(machine.id, { type: 'federated', issuer: slow.url, audience: 'hallpass', subject })
    slow.misbehave((path, response) => {
      if (path !== '/keys') return false
      const keys = JSON.stringify({ keys: [slow.key.jwk] })
      setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(keys), 3_000)
      return true
    })
    const answer = await it.post('/token', {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      subject_token: await slow.token({ sub: subject, exp: nowSeconds() + 3 }),
    })
    await slow.close()
    expectOAuthError(answer, 400, 'invalid_grant')
    expect((await tokenEventsOf(it, machine.id)).map(({ kind }) => kind)).toEqual(['token.refused'])
  })

  test('ends all that is asked for with what it was exchanged for', async () => {
    const machine = await it.addMachine()
    const subject = `job-${randomUUID()}`
    await it.addCredential(machine.id, {
      type: 'federated',
      issuer: issuer.url,
      audience: 'hallpass',
      subject,
    })
    const exp = nowSeconds() + 100
    const { body } = await it.post('/token', {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      subject_token: await issuer.token({ sub: subject, exp }),
    })
    const call = callerOf(it.product.url, String(body['access_token']))
    const { status, body: minted } = await call<Fields>('POST', `/applications/${it.app.id}/token`)
    expect(status).toBe(200)
    expect(decodeJwt(String(minted['access_token'])).exp).toBeLessThanOrEqual(exp)
  })
})
