import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterAll, describe, expect, test } from 'vitest'

import { ConfigError, loadConfig } from '../../bin/config.ts'
import { parseSecretsKeys, readSecretsKeys } from '../../bin/secrets-key.ts'

const key = () => randomBytes(32).toString('base64')

describe('SECRETS_KEY', () => {
  test('holds one key, or several with the newest first', () => {
    const [one, two] = [key(), key()]
    expect(loadConfig({}).secrets_key).toBeUndefined()
    expect(loadConfig({ SECRETS_KEY: one }).secrets_key).toEqual([Buffer.from(one, 'base64')])
    expect(loadConfig({ SECRETS_KEY: `${one},${two}` }).secrets_key).toHaveLength(2)
  })

  test.each([
    'secret',
    randomBytes(16).toString('base64'),
    randomBytes(33).toString('base64'),
    ',',
    `${key()},x`,
  ])('is refused where it is anything else, without repeating it: %#', (text) => {
    expect(parseSecretsKeys(text)).toBeUndefined()
    const load = () => loadConfig({ SECRETS_KEY: text })
    expect(load).toThrow(ConfigError)
    expect(load).toThrow(/^SECRETS_KEY must be 32 bytes in base64[^:]*$/)
  })
})

describe('the file of a set-up', () => {
  const data_dir = mkdtempSync(path.join(tmpdir(), 'hallpass-secrets-'))
  const file = path.join(data_dir, 'secrets-key')
  afterAll(() => rmSync(data_dir, { recursive: true }))
  const read = () => readSecretsKeys({ data_dir, secrets_key: undefined })

  test('is made once, for its owner alone', () => {
    const keys = read()
    expect(keys.map(({ length }) => length)).toEqual([32])
    expect(read()).toEqual(keys)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('may hold several keys, a line each', () => {
    writeFileSync(file, `${key()}\n${key()}\n`)
    expect(read()).toHaveLength(2)
  })

  test('that holds something else stops the start', () => {
    writeFileSync(file, 'nonsense')
    expect(read).toThrow('does not hold keys of 32 bytes')
  })

  test('is not read where keys are given', () =>
    expect(readSecretsKeys({ data_dir: '/nowhere', secrets_key: [Buffer.alloc(32)] })).toHaveLength(1))
})
