import { randomBytes } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createVault } from '../../activities/host-calls/vault.ts'
import type { Vault } from '../../activities/host-calls/vault.ts'
import { nobody } from '../../db/audit.ts'
import { deleteSecret, putSecret } from '../../db/scripts/secrets.ts'
import { createSealer } from '../../db/sealing.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'

const values = {
  WEBHOOK: 'https://hooks.example/services/T0/B0',
  TOKEN: 'to/ken+"with" quotes',
  OTHER: 'for-another-host',
  NOWHERE: 'for-no-host',
}
const hosts: Record<string, string[]> = {
  WEBHOOK: ['hooks.example'],
  TOKEN: ['api.example', '*.api.example'],
  OTHER: ['other.example'],
  NOWHERE: [],
}

let database: TestDatabase
let vault: Vault
const sealer = createSealer([randomBytes(32)])
const open = () => createVault(database.sql, sealer, [...Object.keys(values), 'GONE'])

beforeAll(async () => {
  database = await createTestDatabase()
  for (const [name, value] of Object.entries(values)) {
    const input = { value, hosts: hosts[name] ?? [] }
    await putSecret(database.sql, sealer, { id: crypto.randomUUID(), name, input, actor: nobody })
  }
  vault = open()
})
afterAll(() => database.drop())

const the = (name: string) => vault.placeholders[name] ?? ''
const fill = (url: string, headers: Record<string, string> = {}, body: string | null = null) =>
  vault.fillIn({ method: 'POST', url, headers, body })

describe('a value stands in for its placeholder', () => {
  test('as a whole address', async () => {
    expect(await fill(the('WEBHOOK'))).toMatchObject({ url: values.WEBHOOK })
    expect(await fill(`${the('WEBHOOK')}/sub?x=1`)).toMatchObject({ url: `${values.WEBHOOK}/sub?x=1` })
  })

  test('escaped, in path and query', async () => {
    const { url } = await fill(`https://api.example/v1/${the('TOKEN')}/x?key=${the('TOKEN')}&a=b`)
    expect(url).toBe(
      'https://api.example/v1/to/ken%2B%22with%22%20quotes/x?key=to%2Fken%2B%22with%22%20quotes&a=b',
    )
  })

  test('in headers as it is', async () => {
    const { headers } = await fill('https://api.example/', { authorization: `Bearer ${the('TOKEN')}` })
    expect(headers).toEqual({ authorization: `Bearer ${values.TOKEN}` })
  })

  test('in a body as its type asks', async () => {
    const sent = async (type: string, body: string) =>
      (await fill('https://a.api.example/', { 'Content-Type': type }, body)).body
    const json = (await sent('application/json; charset=utf-8', JSON.stringify({ key: the('TOKEN') }))) ?? ''
    expect(JSON.parse(json)).toEqual({ key: values.TOKEN })
    const form = (await sent('application/x-www-form-urlencoded', `key=${the('TOKEN')}&a=b`)) ?? ''
    expect(new URLSearchParams(form).get('key')).toBe(values.TOKEN)
    expect(await sent('text/plain', `[${the('TOKEN')}]`)).toBe(`[${values.TOKEN}]`)
  })
})

describe('a placeholder', () => {
  test('is another one in every run, and those of one run mean nothing in the next', async () => {
    const next = open()
    expect(next.placeholders.TOKEN).not.toBe(the('TOKEN'))
    expect(the('TOKEN')).toMatch(/^secret_[0-9a-f]{32}$/)
    const request = { method: 'GET', url: 'https://evil.example/', headers: {}, body: the('TOKEN') }
    expect(await next.fillIn(request)).toEqual(request)
  })

  test.each([
    ['another host', () => fill('https://evil.example/', {}, the('TOKEN'))],
    ['another port', () => fill('https://api.example:8443/', {}, the('TOKEN'))],
    ['its host in plain http', () => fill('http://api.example:443/', { x: the('TOKEN') })],
    ['a suffix of its host', () => fill('https://evil-api.example/', {}, the('TOKEN'))],
    ['a host, in its query', () => fill(`https://evil.example/?x=${the('TOKEN')}`)],
    ['the host of another secret', () => fill(the('WEBHOOK'), { x: the('TOKEN') })],
    ['any host, where it has none', () => fill('https://api.example/', { x: the('NOWHERE') })],
    ['its host and one more secret', () => fill('https://api.example/', { x: the('TOKEN') }, the('OTHER'))],
  ])('is not filled in toward %s', async (_, call) => {
    await expect(call()).rejects.toThrow(/the secret \w+ may not be sent to/)
  })

  test.each([
    ['a part of a host', () => fill(`https://${the('TOKEN')}.evil.example/`)],
    ['a port', () => fill(`https://api.example:${the('TOKEN')}/`)],
    ['a user', () => fill(`https://${the('TOKEN')}@api.example/`)],
    ['a host behind one slash', () => fill(`https:/${the('TOKEN')}`)],
    ['a host behind three slashes', () => fill(`https:///${the('TOKEN')}/x`)],
    ['a host behind blank names', () => fill(`https:////${the('TOKEN')}`)],
    ['a scheme', () => fill(`x${the('TOKEN')}://api.example/`)],
  ])('cannot be %s', async (_, call) => {
    await expect(call()).rejects.toThrow('a secret cannot be part of the name of a host')
  })

  test('that is no address does not become one', async () =>
    await expect(fill(the('TOKEN'))).rejects.toThrow(/^this is not a URL$/))

  test('of a secret that is gone is an error', async () =>
    await expect(fill('https://api.example/', { x: the('GONE') })).rejects.toThrow('the secret GONE is gone'))

  test('of a secret that is kept from a host, or deleted, while the run goes on, is not filled in any more', async () => {
    const put = (value: string, hosts: string[]) =>
      putSecret(database.sql, sealer, {
        id: crypto.randomUUID(),
        name: 'TAKEN_BACK',
        input: { value, hosts },
        actor: nobody,
      })
    await put('its first value', ['api.example'])
    const running = createVault(database.sql, sealer, ['TAKEN_BACK'])
    const call = () =>
      running.fillIn({
        method: 'POST',
        url: 'https://api.example/',
        headers: {},
        body: running.placeholders.TAKEN_BACK ?? '',
      })
    expect(await call()).toMatchObject({ body: 'its first value' })
    await put('its second value', [])
    await expect(call()).rejects.toThrow('the secret TAKEN_BACK may not be sent to api.example')
    await deleteSecret(database.sql, { name: 'TAKEN_BACK', actor: nobody })
    await expect(call()).rejects.toThrow('the secret TAKEN_BACK is gone')
    expect(running.mask('its first value')).toBe('[secret TAKEN_BACK]')
  })

  test('is not filled in a thousand times', async () =>
    await expect(fill('https://api.example/', {}, the('TOKEN').repeat(1_000))).rejects.toThrow('100 secrets'))

  test('is told by its name', () =>
    expect(vault.mask(`x ${the('TOKEN')} ${'secret_'.padEnd(39, '0')}`)).toBe(
      `x [secret TOKEN] ${'secret_'.padEnd(39, '0')}`,
    ))
})
