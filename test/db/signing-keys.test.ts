import { generateKeyPairSync, randomBytes } from 'node:crypto'

import { calculateJwkThumbprint, exportJWK } from 'jose'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { openKeyring } from '../../api/keyring.ts'
import { nobody } from '../../db/audit.ts'
import { rows } from '../../db/client.ts'
import { createSealer } from '../../db/sealing.ts'
import { importSigningKey, keepSigningKeys } from '../../db/signing-keys/keep.ts'
import { readKeyPair } from '../../db/signing-keys/key-pair.ts'
import { removeSigningKey, rotateSigningKey } from '../../db/signing-keys/rotate.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'

const issuer = 'http://hallpass.test'
const policy = { rotation_days: 90, overlap_seconds: 600 }
const newSealer = () => createSealer([randomBytes(32)])
const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const newPem = () => newKey().export({ type: 'pkcs8', format: 'pem' }).toString()

let database: TestDatabase
beforeEach(async () => {
  database = await createTestDatabase()
})
afterEach(() => database.drop())

const keepingWith = (sealer = newSealer()) => ({ sql: database.sql, sealer, policy })
type Keeping = ReturnType<typeof keepingWith>

type Row = { kid: string; stops: boolean; is_open: boolean; in_seconds: number }
const stored = () =>
  rows<Row>(database.sql`
    select kid, stops_at is not null as stops, private_part is not null as is_open,
      round(extract(epoch from signs_from - clock_timestamp()))::int as in_seconds
    from signing_keys order by id`)

const sign = async (keeping: Keeping, ends_in = 300) => {
  const { signer } = await openKeyring(keeping, issuer)
  const iat = Math.floor(Date.now() / 1_000)
  return (await signer.sign({ sub: 'x', aud: 'y' }, { iat, exp: iat + ends_in })).token
}
const kidOf = (token: string): string =>
  (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid
const isBelieved = async (keeping: Keeping, token: string) => {
  const { signer } = await openKeyring(keeping, issuer)
  return signer.read(token).then(
    () => true,
    () => false,
  )
}
const shown = async (keeping: Keeping) =>
  (await openKeyring(keeping, issuer)).signer.jwks().keys.map(({ kid }) => kid)

/** What is done is refused with this code of the domain. */
const expectRefused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code })

/** Lets the keys grow older. */
const pass = (interval: string) => database.sql`
  update signing_keys set signs_from = signs_from - ${interval}::interval, created_at = created_at - ${interval}::interval,
    stops_at = stops_at - ${interval}::interval`

describe('the keys of a new database', () => {
  test('are one, which signs at once, however often and by however many it is looked after', async () => {
    const keeping = keepingWith()
    const notes = await Promise.all(Array.from({ length: 5 }, () => keepSigningKeys(keeping)))
    expect(notes.flat()).toEqual([])
    expect(await stored()).toMatchObject([{ stops: false, is_open: true }])
    expect(await isBelieved(keeping, await sign(keeping))).toBe(true)
  })

  test('are the one that is given, under its thumbprint, as PEM or as JWK', async () => {
    const key = newKey()
    const jwk = await exportJWK(key)
    const keeping = keepingWith()
    await importSigningKey(keeping, key.export({ type: 'pkcs8', format: 'pem' }).toString())
    await importSigningKey(keeping, JSON.stringify(jwk))
    expect((await stored()).map(({ kid }) => kid)).toEqual([await calculateJwkThumbprint(jwk)])
    expect(kidOf(await sign(keeping))).toBe(await calculateJwkThumbprint(jwk))
  })

  test('cannot be one of another kind', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
    for (const key of [rsa, p384])
      expect(() => readKeyPair(key.export({ type: 'pkcs8', format: 'pem' }).toString())).toThrow()
    for (const text of ['', 'x', '{}', '{"kty":"EC"}']) expect(() => readKeyPair(text)).toThrow()
  })

  test('are in no dump that opens them', async () => {
    const pem = newPem()
    await importSigningKey(keepingWith(), pem)
    const { d } = JSON.parse(readKeyPair(pem).private_part) as { d: string }
    const [dump] = await rows<{ text: string }>(database.sql`
      select string_agg(k::text, ' ') || (select string_agg(e::text, ' ') from audit_events e) as text from signing_keys k`)
    const hex = Buffer.from(d, 'base64url').toString('hex')
    for (const text of [d, hex, Buffer.from(d).toString('hex'), 'PRIVATE'])
      expect(dump?.text).not.toContain(text)
    expect(await isBelieved(keepingWith(), 'x')).toBe(false)
    await expectRefused(sign(keepingWith()), 'unavailable')
  })
})

describe('a rotation', () => {
  test('comes when the key is old enough, once, and is shown before it signs', async () => {
    const keeping = keepingWith()
    await keepSigningKeys(keeping)
    const token = await sign(keeping)
    await pass('89 days')
    await keepSigningKeys(keeping)
    expect(await stored()).toHaveLength(1)
    await pass('1 day')
    await Promise.all([keepSigningKeys(keeping), keepSigningKeys(keeping), keepSigningKeys(keeping)])
    const [first, second, third] = await stored()
    expect([second?.in_seconds, first?.stops, third]).toEqual([600, true, undefined])
    expect(await shown(keeping)).toEqual([first?.kid, second?.kid])
    expect(kidOf(await sign(keeping))).toBe(first?.kid)
    await pass('601 seconds')
    expect(kidOf(await sign(keeping))).toBe(second?.kid)
    expect(await isBelieved(keeping, token)).toBe(true)
  })

  test('leaves the older key until its last token has ended, then nothing of it', async () => {
    const keeping = keepingWith()
    await keepSigningKeys(keeping)
    const token = await sign(keeping, 3_600)
    await rotateSigningKey(keeping, nobody)
    await pass('600 seconds')
    await pass('3600 seconds')
    expect(await isBelieved(keeping, token)).toBe(true)
    await pass('61 seconds')
    expect(await isBelieved(keeping, token)).toBe(false)
    await keepSigningKeys(keeping)
    expect(await stored()).toMatchObject([{ is_open: false }, { is_open: true }])
    expect(await shown(keeping)).toHaveLength(1)
  })

  test('is made by a key that is given anew, and by none that was seen before', async () => {
    const keeping = keepingWith()
    const [first, second] = [newPem(), newPem()]
    expect(await importSigningKey(keeping, first)).toEqual([])
    expect(await importSigningKey(keeping, second)).toEqual([expect.stringMatching(/signs in 600 s$/)])
    for (const pem of [first, second, first]) expect(await importSigningKey(keeping, pem)).toEqual([])
    await pass('700 seconds')
    expect(await importSigningKey(keeping, first)).toEqual([])
    expect(kidOf(await sign(keeping))).toBe(readKeyPair(second).kid)
    expect(await stored()).toHaveLength(2)
  })

  test('may follow another at once: each key has its time', async () => {
    const keeping = keepingWith()
    await keepSigningKeys(keeping)
    const pems = [newPem(), newPem()]
    for (const pem of pems) await importSigningKey(keeping, pem)
    await pass('601 seconds')
    expect(kidOf(await sign(keeping))).toBe(readKeyPair(pems[1] ?? '').kid)
    expect(await shown(keeping)).toHaveLength(3)
  })
})

describe('a key that is removed', () => {
  test('is not given back by who has it still', async () => {
    const keeping = keepingWith()
    const pem = newPem()
    const { kid } = readKeyPair(pem)
    await importSigningKey(keeping, pem)
    const token = await sign(keeping)
    await removeSigningKey(keeping, kid, nobody)
    expect(await importSigningKey(keeping, pem)).toEqual([
      `the signing key ${kid} that is given was removed: it is not used`,
    ])
    expect(await shown(keeping)).not.toContain(kid)
    expect(await isBelieved(keeping, token)).toBe(false)
    expect(kidOf(await sign(keeping))).not.toBe(kid)
    await expectRefused(removeSigningKey(keeping, kid, nobody), 'not_found')
  })

  test('has as its successor the key that was shown already', async () => {
    const keeping = keepingWith()
    await keepSigningKeys(keeping)
    const next = await rotateSigningKey(keeping, nobody)
    const old = (await stored())[0]?.kid ?? ''
    await removeSigningKey(keeping, old, nobody)
    expect(kidOf(await sign(keeping))).toBe(next.kid)
    expect(await stored()).toHaveLength(2)
  })

  test('before it has signed leaves the other to go on', async () => {
    const keeping = keepingWith()
    await keepSigningKeys(keeping)
    const { kid } = await rotateSigningKey(keeping, nobody)
    await removeSigningKey(keeping, kid, nobody)
    await pass('2 hours')
    const [first] = await stored()
    expect(first).toMatchObject({ stops: false })
    expect(kidOf(await sign(keeping))).toBe(first?.kid)
  })

  test('twice at once is removed once, and one key signs', async () => {
    const keeping = keepingWith()
    await keepSigningKeys(keeping)
    const kid = (await stored())[0]?.kid ?? ''
    const removals = Array.from({ length: 5 }, () => removeSigningKey(keeping, kid, nobody))
    const ends = await Promise.allSettled(removals)
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await stored()).toHaveLength(2)
    const kinds = await rows(database.sql`select kind from audit_events order by seq`)
    expect(kinds.map((row) => Object.values(row)[0])).toEqual([
      'signing_key.created',
      'signing_key.removed',
      'signing_key.created',
    ])
  })
})

describe('keys that nothing opens', () => {
  test('are told of, and a fresh one signs; what they have signed is believed to its end', async () => {
    const before = keepingWith()
    await keepSigningKeys(before)
    const token = await sign(before)
    const after = keepingWith()
    expect(await keepSigningKeys(after)).toEqual([
      `no key opens the signing key(s) ${kidOf(token)}: another one signs from now on`,
    ])
    expect(await keepSigningKeys(after)).toEqual([])
    expect(await isBelieved(after, token)).toBe(true)
    expect(await isBelieved(after, await sign(after))).toBe(true)
    expect(await stored()).toHaveLength(2)
  })

  test('stop after a day', async () => {
    const [before, after] = [keepingWith(), keepingWith()]
    await keepSigningKeys(before)
    await keepSigningKeys(after)
    expect(await stored()).toMatchObject([{ stops: false }, { stops: false }])
    await pass('25 hours')
    await keepSigningKeys(after)
    expect(await stored()).toMatchObject([{ stops: true }, { stops: false }])
  })

  test('come back where they are given once more', async () => {
    const pem = newPem()
    await importSigningKey(keepingWith(), pem)
    const after = keepingWith()
    expect(await importSigningKey(after, pem)).toEqual([])
    expect(await keepSigningKeys(after)).toEqual([])
    expect(kidOf(await sign(after))).toBe(readKeyPair(pem).kid)
    expect(await stored()).toHaveLength(1)
  })

  test('of two processes that seal differently do not end each other', async () => {
    const [one, two] = [keepingWith(), keepingWith()]
    for (let round = 0; round < 5; round++) {
      await keepSigningKeys(one)
      await keepSigningKeys(two)
    }
    expect(await stored()).toMatchObject([{ stops: false }, { stops: false }])
    expect(await isBelieved(one, await sign(two))).toBe(true)
    expect(await isBelieved(two, await sign(one))).toBe(true)
  })

  test('are none after a change of the sealing key: all is sealed again with the newest', async () => {
    const [old, fresh] = [randomBytes(32), randomBytes(32)]
    await keepSigningKeys(keepingWith(createSealer([old])))
    await keepSigningKeys(keepingWith(createSealer([fresh, old])))
    expect(await keepSigningKeys(keepingWith(createSealer([fresh])))).toEqual([])
    expect(await stored()).toHaveLength(1)
  })

  test('because they were moved to another row open nothing', async () => {
    const keeping = keepingWith()
    await keepSigningKeys(keeping)
    await rotateSigningKey(keeping, nobody)
    const [first, second] = await stored()
    await database.sql`update signing_keys k set private_part = (select private_part from signing_keys where kid = ${second?.kid ?? ''})
      where kid = ${first?.kid ?? ''}`
    await expectRefused(sign(keeping), 'unavailable')
  })
})

test('A process whose copy of the keys is too old uses it no more', async () => {
  const keeping = keepingWith()
  await keepSigningKeys(keeping)
  const token = await sign(keeping)
  const keyring = await openKeyring(keeping, issuer)
  const { signer } = keyring
  const at = performance.now()
  vi.spyOn(performance, 'now').mockReturnValue(at + 31_000)
  const iat = Math.floor(Date.now() / 1_000)
  await expectRefused(signer.sign({}, { iat, exp: iat + 1 }), 'unavailable')
  await expectRefused(signer.read(token), 'unavailable')
  expect(() => signer.jwks()).toThrow(expect.objectContaining({ code: 'unavailable' }) as Error)
  await keyring.refresh()
  expect((await signer.read(token)).sub).toBe('x')
  vi.restoreAllMocks()
})

test('Nothing is signed that lives longer than any token of ours, or is not of now', async () => {
  const keeping = keepingWith()
  await keepSigningKeys(keeping)
  const { signer } = await openKeyring(keeping, issuer)
  const now = Math.floor(Date.now() / 1_000)
  for (const [iat, exp] of [
    [now, now + 3_601],
    [now, Infinity],
    [now, NaN],
    [now + 60, now + 120],
    [now - 7_200, now - 3_700],
  ] as const)
    await expect(signer.sign({ sub: 'x', aud: 'y' }, { iat, exp })).rejects.toThrow(/of ours|of now/)
})
