import { jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { createIssuerKeys } from '../../../api/oauth/issuer-keys.ts'
import type { IssuerKeys } from '../../../api/oauth/issuer-keys.ts'
import { sendNamed } from '../../../egress/send-named.ts'
import { startIssuer } from './issuer.ts'
import type { Issuer } from './issuer.ts'

let issuer: Issuer
let keys: IssuerKeys
let now: number
let said: string[]

const minutes = (count: number) => (now += count * 60_000)

beforeEach(async () => {
  issuer = await startIssuer()
  now = 1_000_000_000
  said = []
  keys = createIssuerKeys({
    send: (request, signal) => sendNamed(request, true, signal),
    allow_private_egress: true,
    logError: (message) => void said.push(message),
    now: () => now,
  })
})
afterEach(() => issuer.close())

const fetches = () => issuer.asked.filter((path) => path === '/keys').length
const find = () => keys(issuer.url, issuer.key.kid)
const verify = async () => jwtVerify(await issuer.token({ sub: 'x' }), await find())
const down = () =>
  issuer.misbehave((_, response) => {
    response.writeHead(503).end()
    return true
  })

describe('the keys of an issuer', () => {
  test('are kept for ten minutes, and fetched once for all who wait for them', async () => {
    await Promise.all(Array.from({ length: 10 }, verify))
    minutes(9)
    await verify()
    expect(fetches()).toBe(1)
    minutes(2)
    await verify()
    expect(fetches()).toBe(2)
  })

  test('are looked for again when one is not among them, once a minute at most', async () => {
    await verify()
    await issuer.rotate()
    await expect(verify()).rejects.toThrow('no applicable key')
    expect(fetches()).toBe(1)
    minutes(1)
    await verify()
    expect(fetches()).toBe(2)
    for (let tries = 0; tries < 20; tries++) await keys(issuer.url, `unknown-${tries}`)
    expect(fetches()).toBe(2)
  })

  test('count for an hour while the issuer is away, and not a moment longer', async () => {
    await verify()
    down()
    minutes(11)
    await verify()
    minutes(48)
    await verify()
    minutes(1)
    await expect(find()).rejects.toThrow('cannot be had')
    issuer.misbehave(undefined)
    minutes(1)
    await verify()
  })

  test('are not asked for without end where there are none', async () => {
    down()
    for (let tries = 0; tries < 20; tries++) await expect(find()).rejects.toThrow('cannot be had')
    expect(issuer.asked).toEqual(['/.well-known/openid-configuration'])
    expect(said).toEqual([`the keys of ${issuer.url} cannot be had`])
    issuer.misbehave(undefined)
    minutes(1)
    await verify()
  })

  test('are forgotten where five hundred others were asked for since, so that nobody fills the memory with them', async () => {
    issuer.misbehave((path, response) => {
      const named = /^\/(\d+)\/\.well-known/.exec(path)?.[1]
      const document = { issuer: `${issuer.url}/${named}`, jwks_uri: `${issuer.url}/keys` }
      if (named !== undefined) response.end(JSON.stringify(document))
      return named !== undefined
    })
    const ask = (name: number) => keys(`${issuer.url}/${name}`, issuer.key.kid)
    const asked = (name: number) => issuer.asked.filter((path) => path.startsWith(`/${name}/`)).length
    await ask(0)
    for (let name = 1; name <= 500; name++) await ask(name)
    await ask(500)
    await ask(0)
    expect([asked(0), asked(500)]).toEqual([2, 1])
  })

  test('are never fetched from a private address where the operator does not allow it', async () => {
    const strict = createIssuerKeys({
      send: (request, signal) => sendNamed(request, false, signal),
      allow_private_egress: false,
      logError: () => undefined,
    })
    await expect(strict(issuer.url, 'first')).rejects.toThrow('cannot be had')
    expect(issuer.asked).toEqual([])
  })
})
