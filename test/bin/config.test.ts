import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'

import { describe, expect, test } from 'vitest'

import { ConfigError, loadConfig, projectRoot } from '../../bin/config.ts'

const privateKey = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey
const pem = (namedCurve: string) => privateKey(namedCurve).export({ type: 'pkcs8', format: 'pem' }).toString()
const jwk = (namedCurve: string) => JSON.stringify(privateKey(namedCurve).export({ format: 'jwk' }))

describe('without any variable', () => {
  test('the documented defaults hold', () => {
    expect(loadConfig({})).toMatchObject({
      port: 8080,
      data_dir: path.join(projectRoot, '.data'),
      database_url: undefined,
      temporal_address: undefined,
      temporal_namespace: 'hallpass',
      public_url: 'http://127.0.0.1:8080',
      max_duration_mins: 43_200,
      allow_private_egress: false,
    })
  })
})

describe('the documentation', () => {
  const read = (file: string) => readFileSync(path.join(projectRoot, file), 'utf8')
  const named = (text: string, pattern: RegExp) =>
    [...text.matchAll(pattern)].map(([, name = '']) => name).toSorted()
  const rows = read('docs/configuration.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim()))

  test('names every variable that is read, and no other', () => {
    const documented = rows.flatMap(([, names = '']) => named(names, /`(\w+)`/g)).toSorted()
    expect(documented).toEqual(named(read('bin/config.ts'), /^ {2}([A-Z][A-Z_]+): /gm))
  })

  test('gives every number the default that it has', () => {
    const defaults: Record<string, unknown> = loadConfig({})
    for (const [, names = '', values = ''] of rows) {
      if (!/^\d+(, \d+)*$/.test(values)) continue
      const kept = [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => defaults[name.toLowerCase()])
      expect([names, kept.join(', ')]).toEqual([names, values])
    }
  })
})

describe('a variable', () => {
  test('that is empty counts as not set', () => {
    expect(loadConfig({ PORT: '', DATABASE_URL: '' })).toMatchObject({ port: 8080, database_url: undefined })
  })

  test('of the public address loses the slash at its end', () => {
    expect(loadConfig({ PUBLIC_URL: 'https://hallpass.example.com/' }).public_url).toBe(
      'https://hallpass.example.com',
    )
  })

  test('of the data directory is read from the checkout, wherever the command was started', () => {
    expect(loadConfig({ DATA_DIR: 'elsewhere' }).data_dir).toBe(path.join(projectRoot, 'elsewhere'))
  })

  test.each([
    ['PKCS8 PEM', pem('P-256')],
    ['JWK', jwk('P-256')],
  ])('of the signing key may hold a %s', (_, key) => {
    expect(loadConfig({ SIGNING_KEY: key }).signing_key).toBe(key)
  })

  test.each([
    ['PORT', '0', '1 to 65535'],
    ['PORT', '65536', '1 to 65535'],
    ['PORT', '80a', '1 to 65535'],
    ['PORT', '-1', '1 to 65535'],
    ['TEMPORAL_UI_PORT', '8233.5', '1 to 65535'],
    ['MAX_DURATION_MINS', '1e9', 'whole number'],
    ['MAX_DURATION_MINS', '0', 'whole number'],
    ['RUN_RETENTION_DAYS', '0', 'whole number'],
    ['ALLOW_PRIVATE_EGRESS', 'yes', 'true or false'],
    ['DATABASE_URL', 'mysql://localhost/x', 'postgres:'],
    ['DATABASE_URL', 'localhost:5432', 'postgres:'],
    ['TEMPORAL_ADDRESS', 'http://temporal:7233', 'HOST:PORT'],
    ['TEMPORAL_ADDRESS', 'temporal', 'HOST:PORT'],
    ['TEMPORAL_NAMESPACE', 'a b', '2 to 255'],
    ['PUBLIC_URL', 'ftp://example.com', 'http:'],
    ['PUBLIC_URL', 'example.com', 'http:'],
    ['SANDBOX_MIN_LEVEL', 'Full', 'full, namespaces, own_user, limits, process'],
    ['SIGNING_KEY', 'secret', 'ES256'],
    ['SIGNING_KEY', pem('P-384'), 'ES256'],
    ['SIGNING_KEY', '{"kty":"EC"', 'ES256'],
  ])('%s of %j is refused with what is allowed', (name, value, allowed) => {
    const load = () => loadConfig({ [name]: value })
    expect(load).toThrow(ConfigError)
    expect(load).toThrow(new RegExp(`^${name} must be .*${allowed}`))
  })

  test('that holds a secret is not repeated in the refusal', () => {
    const secret = { DATABASE_URL: 'mysql://user:hunter2@host/db', SIGNING_KEY: 'hunter3' }
    expect(() => loadConfig(secret)).not.toThrow(/hunter/)
    expect(() => loadConfig(secret)).toThrow(/DATABASE_URL.*\nSIGNING_KEY/)
  })
})
