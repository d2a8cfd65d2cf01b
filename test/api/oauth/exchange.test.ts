import { createHash, randomUUID } from 'node:crypto'

import { CompactSign, decodeJwt, exportJWK, generateKeyPair } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { eventually } from '../../setup/product.ts'
import { nowSeconds, startIssuer } from './issuer.ts'
import type { Issuer } from './issuer.ts'
import { basic, expectOAuthError, startMachines, tokenEventsOf } from './machines.ts'
import type { Machine, Machines, OAuthAnswer } from './machines.ts'

type Fields = { [key: string]: unknown }

let it: Machines
let issuer: Issuer
let machine: Machine
let subject: string

beforeAll(async () => {
  ;[it, issuer] = await Promise.all([startMachines(), startIssuer()])
})
afterAll(() => Promise.all([it.product.close(), issuer.close()]))

const trust = (id: string, workload: Fields) =>
  it.addCredential(id, { type: 'federated', issuer: issuer.url, audience: 'hallpass', ...workload })

beforeEach(async () => {
  machine = await it.addMachine()
  subject = `repo:acme/${randomUUID()}:ref:refs/heads/main`
  await trust(machine.id, { subject })
})

const show = (subject_token: string, fields: Fields = {}, headers: Record<string, string> = {}) =>
  it.post(
    '/token',
    {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      subject_token,
      ...fields,
    },
    headers,
  )
const tokenOf = (claims: Fields = {}, header: Fields = {}) =>
  issuer.token({ sub: subject, ...claims }, header)

const refused = (answer: OAuthAnswer) => expectOAuthError(answer, 400, 'invalid_grant')

describe('the token of a workload', () => {
  test('is exchanged for one that does not outlive it', async () => {
    const { status, body } = await show(await tokenOf({ exp: nowSeconds() + 40 }))
    expect(status).toBe(200)
    expect(decodeJwt(String(body['access_token'])).sub).toBe(machine.id)
    expect(body['expires_in']).toBeLessThanOrEqual(41)
  })

  test.each<[string, () => Fields, Fields?]>([
    ['with its audience in a list of one', () => ({ aud: ['hallpass'] })],
    ['as an ID token', () => ({}), { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }],
    ['for a JWT', () => ({}), { requested_token_type: 'urn:ietf:params:oauth:token-type:jwt' }],
    ['with more to say', () => ({ repository: 'acme/shop', run_id: 5 })],
  ])('is taken %s', async (_, claims, fields) => {
    expect((await show(await tokenOf(claims()), fields)).status).toBe(200)
  })

  test('is taken after its issuer has changed keys', async () => {
    const fresh = await startIssuer()
    await it.addCredential(machine.id, {
      type: 'federated',
      issuer: fresh.url,
      audience: 'hallpass',
      subject,
    })
    expect((await show(await fresh.token({ sub: subject }))).status).toBe(200)
    await fresh.close()
  })

  test.each<[string, () => Fields]>([
    ['of another subject', () => ({ sub: `${subject}x` })],
    ['of a part of its subject', () => ({ sub: subject.slice(0, -1) })],
    ['of its subject in capitals', () => ({ sub: subject.toUpperCase() })],
    ['of its subject and a line end', () => ({ sub: `${subject}\n` })],
    ['of its subject and a NUL', () => ({ sub: `${subject}\0` })],
    ['of an endless subject', () => ({ sub: subject + 'x'.repeat(10_000) })],
    ['of nobody', () => ({ sub: undefined })],
    ['of a list', () => ({ sub: [subject] })],
    ['for another audience', () => ({ aud: 'other' })],
    ['for an audience that looks alike', () => ({ aud: 'Hallpass' })],
    ['for two audiences', () => ({ aud: ['hallpass', 'other'] })],
    ['for no audience', () => ({ aud: undefined })],
    ['for an empty list', () => ({ aud: [] })],
    ['of another issuer', () => ({ iss: 'https://other.test' })],
    ['of an issuer that looks alike', () => ({ iss: `${issuer.url}/` })],
    ['of ours', () => ({ iss: it.product.url })],
    ['of no issuer', () => ({ iss: undefined })],
    ['that never ends', () => ({ exp: undefined })],
    ['that has ended', () => ({ exp: nowSeconds() - 1 })],
    ['that lives for ever', () => ({ exp: 1e300 })],
    ['that lives for a year', () => ({ exp: nowSeconds() + 31_536_000 })],
    ['whose end is text', () => ({ exp: String(nowSeconds() + 60) })],
    ['that is not valid yet', () => ({ nbf: nowSeconds() + 600 })],
  ])('is refused %s', async (_, claims) => {
    refused(await show(await tokenOf(claims())))
  })

  test('is refused where its end is no number, or it says something twice', async () => {
    const text = JSON.stringify(decodeJwt(await tokenOf()))
    const texts = [
      text.replace(/"exp":\d+/, '"exp":1e400'),
      text.replace('{', `{"sub":"x",`),
      text.replace('{', `{"sub":"${subject}",`),
      text.replace('{', '{"__proto__":{},"__proto__":{},'),
    ]
    for (const changed of texts) {
      const head = { alg: 'ES256', kid: issuer.key.kid }
      const signed = new CompactSign(new TextEncoder().encode(changed)).setProtectedHeader(head)
      refused(await show(await signed.sign(issuer.key.privateKey)))
    }
  })

  test.each<[string, Fields]>([
    ['an access token', { typ: 'at+jwt' }],
    ['a proof', { typ: 'dpop+jwt' }],
    ['of a type that is none', { typ: 5 }],
    ['that asks for what is not known here', { crit: ['hold'], hold: 1 }],
  ])('is refused that is %s', async (_, header) => {
    refused(await show(await tokenOf({}, header)))
  })

  test('is refused that somebody else has signed, whichever key it brings along or names', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const jwk = await exportJWK(publicKey)
    const heads: Fields[] = [
      {},
      { kid: 'x' },
      { jwk },
      { jku: 'https://evil.test' },
      { kid: '../../dev/null' },
    ]
    for (const head of heads) {
      const claims = new TextEncoder().encode(JSON.stringify(decodeJwt(await tokenOf())))
      const header = { alg: 'ES256', kid: issuer.key.kid, ...head }
      refused(await show(await new CompactSign(claims).setProtectedHeader(header).sign(privateKey)))
    }
  })

  test('is refused that is not signed, or by the public key as a secret', async () => {
    const [, claims] = (await tokenOf()).split('.')
    for (const alg of ['none', 'HS256']) {
      const head = Buffer.from(JSON.stringify({ alg, kid: issuer.key.kid })).toString('base64url')
      refused(await show(`${head}.${claims}.${createHash('sha256').update('x').digest('base64url')}`))
    }
  })

  test.each(['', 'x', 'a.b.c', '..', `${'a'.repeat(20_000)}.b.c`, 'e30.e30.e30', 'null'])(
    'is refused that is %j',
    async (token) => {
      expectOAuthError(await show(token), 400, token === '' ? 'invalid_request' : 'invalid_grant')
    },
  )

  test('is refused that was issued here: no token of ours begets another', async () => {
    const { body } = await it.post('/token', { grant_type: 'client_credentials' }, basic(machine))
    refused(await show(String(body['access_token'])))
  })

  test('is refused of another type, with an actor, or beside another proof of who it is', async () => {
    const token = await tokenOf()
    const fields = [
      { subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
      { subject_token_type: '' },
      { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      { actor_token: token, actor_token_type: 'urn:ietf:params:oauth:token-type:jwt' },
      { client_id: machine.id, client_secret: machine.secret },
    ]
    for (const more of fields) expectOAuthError(await show(token, more), 400, 'invalid_request')
    expectOAuthError(await show(token, {}, basic(machine)), 400, 'invalid_request')
    refused(await show(token, { client_id: randomUUID() }))
  })

  test('is refused once nobody trusts it, or its machine is disabled; and that is on record', async () => {
    const token = await tokenOf()
    await it.product.sql`update identities set status = 'disabled' where id = ${machine.id}`
    expectOAuthError(await show(token), 401, 'invalid_client')
    await it.product.sql`update identities set status = 'active' where id = ${machine.id}`
    await it.product.sql`update credentials set expires_at = now() where identity_id = ${machine.id}`
    refused(await show(token))
    expect(await tokenEventsOf(it, machine.id)).toMatchObject([
      { kind: 'token.refused', detail: { error: 'invalid_client', reason: 'inactive_client' } },
    ])
  })
})

describe('an issuer', () => {
  test('is asked for its keys only for a workload that is trusted', async () => {
    const stranger = await startIssuer()
    refused(await show(await stranger.token({ sub: subject })))
    expect(stranger.asked).toEqual([])
    await stranger.close()
  })

  test('is asked once for many tokens', async () => {
    const before = issuer.asked.length
    await show(await tokenOf())
    const answers = await Promise.all(Array.from({ length: 5 }, async () => show(await tokenOf())))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    expect(issuer.asked.length).toBeLessThanOrEqual(before + 2)
  })

  const send = (status: number, body: string, headers: Record<string, string> = {}) => ({
    status,
    body,
    headers,
  })
  type Document = (url: string, path: string) => ReturnType<typeof send> | 'hang' | 'stall' | 'drop'
  const named = (url: string) => send(200, JSON.stringify({ issuer: url, jwks_uri: `${url}/keys` }))
  const withKeys =
    (keys: () => ReturnType<Document>): Document =>
    (url, path) =>
      path === '/keys' ? keys() : named(url)
  const manyKeys = () => {
    const key = { kty: 'EC', kid: 'first', x: 'x'.repeat(43) }
    return send(200, JSON.stringify({ keys: Array.from({ length: 5_000 }, () => key) }))
  }

  const misbehaving = async (document: Document) => {
    const odd = await startIssuer()
    odd.misbehave((path, response) => {
      const answer = document(odd.url, path)
      if (answer === 'drop') response.destroy()
      else if (answer === 'stall') response.writeHead(200).write('{')
      else if (answer !== 'hang') response.writeHead(answer.status, answer.headers).end(answer.body)
      return true
    })
    await it.addCredential(machine.id, { type: 'federated', issuer: odd.url, audience: 'hallpass', subject })
    return odd
  }

  test.each<[string, Document]>([
    [
      'that calls itself by another name',
      (url) => send(200, JSON.stringify({ issuer: `${url}/`, jwks_uri: `${url}/keys` })),
    ],
    [
      'whose keys are in a file',
      (url) => send(200, JSON.stringify({ issuer: url, jwks_uri: 'file:///etc/passwd' })),
    ],
    [
      'whose keys are elsewhere without TLS',
      (url) => send(200, JSON.stringify({ issuer: url, jwks_uri: 'http://10.0.0.1/keys' })),
    ],
    [
      'whose keys are at the metadata service',
      (url) => send(200, JSON.stringify({ issuer: url, jwks_uri: 'http://169.254.169.254/' })),
    ],
    [
      'whose keys are secrets',
      withKeys(() => send(200, JSON.stringify({ keys: [{ kty: 'oct', kid: 'first', k: 'c2VjcmV0' }] }))),
    ],
  ])('%s is not trusted', async (_, document) => {
    const odd = await misbehaving(document)
    refused(await show(await odd.token({ sub: subject })))
    refused(await show(await odd.token({ sub: subject })))
    await odd.close()
  })

  test.each<[string, Document]>([
    ['that has no keys', (url) => send(200, JSON.stringify({ issuer: url }))],
    ['that sends one elsewhere', (url) => send(302, '', { location: `${url}/other` })],
    ['that is broken', () => send(500, '{}')],
    ['that speaks HTML', () => send(200, '<html>')],
    ['that never ends', () => send(200, `{"issuer":"${'x'.repeat(1_100_000)}"}`)],
    ['that says nothing', () => send(200, 'null')],
    ['that hangs', () => 'hang'],
    ['that begins and goes no further', () => 'stall'],
    ['that hangs up', () => 'drop'],
    ['whose list of keys is huge', withKeys(manyKeys)],
    ['whose list of keys is ten megabytes', withKeys(() => send(200, 'x'.repeat(10_000_000)))],
    ['whose list of keys is HTML', withKeys(() => send(200, '<html>'))],
    ['whose list of keys is broken', withKeys(() => send(500, '{}'))],
    ['whose list of keys hangs', withKeys(() => 'hang')],
    ['whose list of keys is none', withKeys(() => send(200, '{"keys":5}'))],
  ])('%s cannot be asked now: that says nothing of its tokens', async (_, document) => {
    const odd = await misbehaving(document)
    const token = await odd.token({ sub: subject })
    const answer = await show(token)
    expectOAuthError(answer, 503, 'temporarily_unavailable')
    expect(answer.headers.get('retry-after')).toBe('5')
    expect(odd.asked).not.toContain('/other')
    expect(await tokenEventsOf(it, machine.id)).toMatchObject([
      {
        kind: 'token.refused',
        detail: { error: 'temporarily_unavailable', reason: 'issuer_keys_unavailable' },
      },
    ])
    await odd.close()
  })

  test('that was broken is asked again soon, and the same token is taken', async () => {
    const odd = await misbehaving(() => send(503, ''))
    const token = await odd.token({ sub: subject })
    expectOAuthError(await show(token), 503, 'temporarily_unavailable')
    odd.misbehave(undefined)
    await eventually('its keys', async () => (await show(token)).status === 200, 25_000)
    await odd.close()
  })

  test('that is away cannot be asked either; what is not trusted is refused all the same', async () => {
    const away = await startIssuer()
    await it.addCredential(machine.id, { type: 'federated', issuer: away.url, audience: 'hallpass', subject })
    await away.close()
    expectOAuthError(await show(await away.token({ sub: subject })), 503, 'temporarily_unavailable')
    refused(await show(await away.token({ sub: `${subject}x` })))
    refused(await show(await away.token({ sub: subject, exp: nowSeconds() - 1 })))
  })
})
