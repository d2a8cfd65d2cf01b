import { createHash, randomBytes } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { nobody } from '../../db/audit.ts'
import { getRow, rows } from '../../db/client.ts'
import { openSecret, putSecret, resealSecrets } from '../../db/scripts/secrets.ts'
import { createSealer } from '../../db/sealing.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'

const place = { table: 'secrets', column: 'value', row: 'A' }
const [first, second, third] = [randomBytes(32), randomBytes(32), randomBytes(32)]

describe('a digest', () => {
  const sealer = createSealer([first])

  test('is the same for the same text and key, and another for every other', () => {
    expect(sealer.digest('1234')).toBe(createSealer([first, second]).digest('1234'))
    expect(sealer.digest('1234')).not.toBe(sealer.digest('1235'))
    expect(sealer.digest('1234')).not.toBe(createSealer([second, first]).digest('1234'))
  })

  test('cannot be found without the key', () => {
    for (const encoding of ['base64url', 'hex'] as const)
      expect(sealer.digest('1234')).not.toBe(createHash('sha256').update('1234').digest(encoding))
  })
})

describe('a sealed value', () => {
  const sealer = createSealer([first])
  const sealed = sealer.seal('the value ü', place)

  test('opens where it was sealed', () => expect(sealer.open(sealed, place)).toBe('the value ü'))

  test('is another one each time, and shows nothing', () => {
    const again = sealer.seal('the value ü', place)
    expect(again.value.equals(sealed.value)).toBe(false)
    expect(sealed.value.includes('value')).toBe(false)
    expect(sealed.key_id).not.toContain(first.toString('hex').slice(0, 8))
  })

  test.each([
    ['another row', { ...place, row: 'B' }],
    ['another table', { ...place, table: 'settings' }],
    ['another column', { ...place, column: 'hosts' }],
  ])('does not open in %s', (_, elsewhere) =>
    expect(() => sealer.open(sealed, elsewhere)).toThrow('cannot be opened'),
  )

  test('does not open with another key, nor under the name of another key', () => {
    const other = createSealer([second])
    expect(() => other.open(sealed, place)).toThrow('cannot be opened')
    expect(() => other.open({ ...sealed, key_id: other.newest_key_id }, place)).toThrow('cannot be opened')
    const both = createSealer([second, first])
    expect(() => both.open({ ...sealed, key_id: both.newest_key_id }, place)).toThrow('cannot be opened')
  })

  test('does not open once any byte of it was changed, or where it ends early', () => {
    for (let index = 0; index < sealed.value.length; index += 1) {
      const value = Buffer.from(sealed.value)
      value[index] = (value[index] ?? 0) ^ 1
      expect(() => sealer.open({ ...sealed, value }, place)).toThrow('cannot be opened')
      expect(() => sealer.open({ ...sealed, value: sealed.value.subarray(0, index) }, place)).toThrow(
        'cannot be opened',
      )
    }
  })

  test('is opened by older keys too, and sealed by the newest', () => {
    const both = createSealer([second, first])
    expect(both.open(sealed, place)).toBe('the value ü')
    expect(createSealer([second]).open(both.seal('new', place), place)).toBe('new')
  })

  test('needs a key', () => expect(() => createSealer([])).toThrow('no key'))
})

describe('in the database', () => {
  let database: TestDatabase
  beforeAll(async () => void (database = await createTestDatabase()))
  afterAll(() => database.drop())

  const put = (name: string, value: string, key: Buffer) =>
    putSecret(database.sql, createSealer([key]), {
      id: crypto.randomUUID(),
      name,
      input: { value, hosts: ['example.com'] },
      actor: nobody,
    })

  test('a secret that is moved to another row does not open', async () => {
    await put('LOW', 'of little worth', first)
    await put('HIGH', 'worth much', first)
    const { sql } = database
    await sql`update secrets set value = (select value from secrets where name = 'HIGH') where name = 'LOW'`
    await expect(openSecret(sql, createSealer([first]), 'LOW')).rejects.toThrow('LOW in secrets cannot be')
    expect(await openSecret(sql, createSealer([first]), 'HIGH')).toMatchObject({ value: 'worth much' })
    await sql`delete from secrets`
  })

  test('a new key takes over at the next start; what no key opens is named', async () => {
    const { sql } = database
    await put('A', 'value a', first)
    await put('B', 'value b', second)
    await put('C', 'value c', third)
    const sealer = createSealer([second, first])
    expect(await resealSecrets(sql, sealer)).toEqual({ resealed: 1, lost: ['C'] })
    expect(await resealSecrets(sql, sealer)).toEqual({ resealed: 0, lost: ['C'] })
    const newest = createSealer([second])
    expect((await openSecret(sql, newest, 'A'))?.value).toBe('value a')
    expect((await openSecret(sql, newest, 'B'))?.value).toBe('value b')
    expect((await openSecret(sql, createSealer([third]), 'C'))?.value).toBe('value c')
  })

  test('putting one twice at once keeps one of the two, whole', async () => {
    const { sql } = database
    await Promise.all(['one', 'two'].map((value) => put('RACE', `value ${value}`, first)))
    expect((await openSecret(sql, createSealer([first]), 'RACE'))?.value).toMatch(/^value (one|two)$/)
    expect(await rows(sql`select from secrets where name = 'RACE'`)).toHaveLength(1)
  })

  test('nobody reads the value in its row', async () => {
    await put('D', 'canary-value', first)
    const { text } = await getRow<{ text: string }>(
      database.sql`select s::text || encode(value, 'escape') as text from secrets s where name = 'D'`,
    )
    expect(text).not.toContain('canary')
  })
})
