import { randomBytes, randomUUID } from 'node:crypto'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { openKeyring } from '../../api/keyring.ts'
import type { TokenSigner } from '../../api/token-signer.ts'
import { createSealer } from '../../db/sealing.ts'
import { DomainError } from '../../domain/errors.ts'
import { callerOf, startTestProduct } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'
import { createRandom } from '../timelines/random.ts'
import type { Random } from '../timelines/random.ts'

/** `MUTATIONS=100000 npm test -- test/api/mutated-tokens` looks at that many; `MUTATIONS_SEED` repeats a run. */
const seed = Number(process.env['MUTATIONS_SEED'] ?? Date.now() % 1_000_000_000)
const total = Number(process.env['MUTATIONS'] ?? 20_000)
const overHttp = 3_000
const atOnce = 100

const issuer = 'http://hallpass.test'
const secrets_key = [randomBytes(32)]

let it: TestProduct
let alice: Caller
let signer: TokenSigner
let reading: NodeJS.Timeout
let good: string[]

beforeAll(async () => {
  it = await startTestProduct({ secrets_key, without_worker: true })
  alice = await it.as('alice')
  const policy = { rotation_days: 90, overlap_seconds: 600 }
  const keyring = await openKeyring({ sql: it.sql, sealer: createSealer(secrets_key), policy }, issuer)
  ;({ signer } = keyring)
  reading = setInterval(() => void keyring.refresh(), 2_000)
  const iat = Math.floor(Date.now() / 1_000)
  const sign = async (sub: string) =>
    (await signer.sign({ sub, aud: issuer }, { iat, exp: iat + 3_600 })).token
  good = await Promise.all([sign(alice.id), sign((await it.as('admin')).id), sign(randomUUID())])
})
afterAll(async () => {
  clearInterval(reading)
  await it.close()
})

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const drawLetter = (random: Random) => alphabet.charAt(random.whole(alphabet.length))
const splice = (text: string, at: number, gone: number, put = '') =>
  text.slice(0, at) + put + text.slice(at + gone)

function flipBit(text: string, random: Random): string {
  const bytes = Buffer.from(text, 'latin1')
  const at = random.whole(bytes.length)
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.whole(8))
  return bytes.toString('latin1')
}

/** In what a part says, not in how it is written. */
function flipInside(text: string, random: Random): string {
  const parts = text.split('.')
  const index = random.whole(3)
  const bytes = Buffer.from(parts[index] ?? '', 'base64url')
  const at = random.whole(bytes.length)
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.whole(8))
  parts[index] = bytes.toString('base64url')
  return parts.join('.')
}

function swapParts(text: string, random: Random): string {
  const sources = [text, ...good].map((each) => each.split('.'))
  return Array.from({ length: random.pick([2, 3, 3, 3, 4, 5]) }, () => {
    const source = sources[random.whole(sources.length)]
    return source?.[random.whole(3)] ?? ''
  }).join('.')
}

/** The last character of a part has bits that nobody reads; other alphabets and paddings mean the same bytes. */
function respell(text: string, random: Random): string {
  const parts = text.split('.')
  const index = random.whole(3)
  const part = parts[index] ?? ''
  const last = alphabet.indexOf(part.slice(-1))
  parts[index] = random.pick([
    `${part}=`,
    `${part}==`,
    Buffer.from(part, 'base64url').toString('base64'),
    part.replaceAll('-', '+').replaceAll('_', '/'),
    part.slice(0, -1) + alphabet.charAt(last ^ (1 + random.whole(3))),
    splice(part, random.whole(part.length), 0, random.pick([' ', '\t', '\n', '\r\n', '%0A', '\0', '\u00a0'])),
    Buffer.from(part, 'base64url').toString('hex'),
    encodeURIComponent(`${part}=`),
  ])
  return parts.join('.')
}

const mutations: readonly [
  (text: string, random: Random) => string,
  ...((text: string, random: Random) => string)[],
] = [
  flipBit,
  flipInside,
  swapParts,
  respell,
  (text, random) => text.slice(0, random.whole(text.length)),
  (text, random) => text.slice(1 + random.whole(text.length - 1)),
  (text, random) => splice(text, random.whole(text.length), 1 + random.whole(3)),
  (text, random) => splice(text, random.whole(text.length), 0, drawLetter(random)),
  (text, random) => splice(text, random.whole(text.length), 1, drawLetter(random)),
  (text, random) => {
    const at = random.whole(text.length - 1)
    return splice(text, at, 2, `${text[at + 1]}${text[at]}`)
  },
  (text, random) => text + random.pick(['.', 'A', '=', ' ', '.e30', ',', '\0']),
]

/** None of them is one of the good tokens again. */
function* mutate(count: number, random: Random): Generator<string> {
  for (let made = 0; made < count; ) {
    const text = random.pick(mutations)(good[random.whole(good.length)] ?? '', random)
    if (good.includes(text)) continue
    made++
    yield text
  }
}

/** Those of the tokens that `isAccepted` accepts: there should be none. */
async function findAccepted(tokens: Iterable<string>, isAccepted: (text: string) => Promise<boolean>) {
  const accepted: string[] = []
  const waiting = [...tokens]
  const look = async () => {
    for (let text = waiting.pop(); text !== undefined; text = waiting.pop())
      if (await isAccepted(text)) accepted.push(text)
  }
  await Promise.all(Array.from({ length: atOnce }, look))
  return accepted
}

const isRead = (text: string) =>
  signer.read(text).then(
    () => true,
    (error: unknown) => {
      if (error instanceof DomainError) throw error
      return false
    },
  )
const isAnswered = async (text: string) => (await callerOf(it.url, text)('GET', '/me')).status !== 401
/** What a client can send at all. */
const isHeader = (text: string) => /^[\x21-\x7e]+$/.test(text)

async function expectGood(): Promise<void> {
  expect(await Promise.all(good.map(isRead))).toEqual([true, true, true])
  expect(await isAnswered(good[0] ?? '')).toBe(true)
}

test(
  `Of ${total} mutated tokens none is accepted (MUTATIONS_SEED=${seed})`,
  async () => {
    await expectGood()
    expect(await findAccepted(mutate(total, createRandom(seed)), isRead)).toEqual([])
    await expectGood()
  },
  60_000 + 2 * total,
)

test(`Of ${overHttp} mutated tokens that are sent none is answered otherwise than with 401 (MUTATIONS_SEED=${seed})`, async () => {
  await expectGood()
  const tokens = [...mutate(2 * overHttp, createRandom(seed + 1))].filter(isHeader).slice(0, overHttp)
  expect(await findAccepted(tokens, isAnswered)).toEqual([])
  await expectGood()
}, 180_000)
