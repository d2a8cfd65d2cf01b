import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { createTokenLimiter } from '../../../api/limit-tokens.ts'
import { OAuthError, sendOAuthError } from '../../../api/oauth/oauth-error.ts'
import { limitAddresses } from '../../../api/oauth/oauth.ts'
import { router } from '../../../api/router.ts'
import { createSharedLimiter } from '../../../api/shared-limiter.ts'
import type { SharedLimiter } from '../../../api/shared-limiter.ts'
import { connect, getRow } from '../../../db/client.ts'
import type { Sql } from '../../../db/client.ts'
import { forgetFullBuckets } from '../../../db/rate-limits.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import { fresh } from '../../setup/people.ts'
import { startTestProduct } from '../../setup/product.ts'
import type { TestProduct } from '../../setup/product.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let database: TestDatabase
let other: Sql
beforeAll(async () => {
  database = await createTestDatabase()
  other = connect(database.url, { max: 5 })
})
afterAll(async () => {
  await other.end()
  await database.drop()
})

/** The same limit in two processes: each has connections and a store of its own. */
const createPair = (per_minute: number, in_lumps: boolean): [SharedLimiter, SharedLimiter] => {
  const limit = { name: fresh('limit'), per_minute, in_lumps }
  return [createSharedLimiter(database.sql, limit), createSharedLimiter(other, limit)]
}

const countAdmitted = async (limiter: SharedLimiter, key: string, calls: number): Promise<number> => {
  const waits = await Promise.all(Array.from({ length: calls }, () => limiter.take(key)))
  return waits.filter((wait) => wait === undefined).length
}

describe('A limit that processes share', () => {
  // So slow that nothing comes back while the test runs, however slow the machine is.
  test.each([
    [5, false],
    [5, true],
  ])('of %i, in lumps: %s, lets so many through both of them, not through each', async (most, in_lumps) => {
    const [first, second] = createPair(most, in_lumps)
    const admitted = (await countAdmitted(first, 'k', 3)) + (await countAdmitted(second, 'k', 20))
    expect(admitted).toBeGreaterThanOrEqual(most)
    expect(admitted).toBeLessThanOrEqual(most + 2)
    expect(await first.take('k')).toBeGreaterThanOrEqual(1)
    expect(await first.take('k')).toBeLessThanOrEqual(60)
    expect(await first.take('another')).toBeUndefined()
  })

  test('holds under racers in both of them', async () => {
    const [first, second] = createPair(100, true)
    const began = Date.now()
    const counts = await Promise.all([countAdmitted(first, 'k', 150), countAdmitted(second, 'k', 150)])
    const cameBack = Math.ceil(((Date.now() - began) / 60_000) * 100)
    const admitted = (counts[0] ?? 0) + (counts[1] ?? 0)
    expect(admitted).toBeGreaterThanOrEqual(90)
    expect(admitted).toBeLessThanOrEqual(100 + cameBack)
  })

  test('asks the database once for a lump of permits, not for each', async () => {
    const limiter = createSharedLimiter(database.sql, {
      name: fresh('limit'),
      per_minute: 20_000,
      in_lumps: true,
    })
    expect(await limiter.take('k')).toBeUndefined()
    const free_at = async () =>
      getRow<{ sum: string }>(database.sql`select max(free_at) as sum from rate_limits`)
    const before = await free_at()
    expect(await countAdmitted(limiter, 'k', 400)).toBe(400)
    expect(await free_at()).toEqual(before)
  })

  test('counts a failure for both of them, though the other one has permits in store', async () => {
    const [first, second] = createPair(40, true)
    expect(await first.take('k')).toBeUndefined()
    expect(await second.take('k')).toBeUndefined()
    await first.charge('k', 1_000)
    expect(await first.take('k')).toBeGreaterThanOrEqual(1)
    // A lump of two, of which one was used.
    expect(await countAdmitted(second, 'k', 20)).toBeLessThanOrEqual(2)
  })

  test('keeps neither the names nor, once they are full again, the buckets', async () => {
    const limiter = createSharedLimiter(database.sql, {
      name: fresh('limit'),
      per_minute: 1_000_000,
      in_lumps: false,
    })
    await limiter.take('somebody@example.com')
    const text = await getRow<{ found: boolean }>(database.sql`
      select exists (select from rate_limits where key = convert_to('somebody@example.com', 'utf8')) as found`)
    expect(text.found).toBe(false)
    await vi.waitFor(async () => expect(await forgetFullBuckets(database.sql)).toBeGreaterThanOrEqual(1))
  })
})

describe('The token endpoint', () => {
  const createEndpoint = (sql: Sql, per_minute: number) => {
    const limiter = createTokenLimiter(sql, { tokens_per_minute: per_minute, trusted_proxies: [] })
    const app = router()
    app.use(limitAddresses(limiter))
    app.onError((error, c) => sendOAuthError(c, error instanceof OAuthError ? error : expect.unreachable()))
    app.post('/token', async (c) => c.json({}, (await c.req.text()) === 'wrong' ? 401 : 200))
    return (body: string) => app.request('/token', { method: 'POST', body })
  }

  test('answers too many calls in its own words, and failures count as twenty', async () => {
    await database.sql`delete from rate_limits`
    const [here, there] = [createEndpoint(database.sql, 20), createEndpoint(other, 20)]
    const began = Date.now()
    let failures = 0
    let refused = await here('wrong')
    while (refused.status === 401) {
      failures += 1
      refused = await (failures % 2 === 0 ? here : there)('wrong')
    }
    // Ten clients' worth for an address is ten failures; what comes back meanwhile is on top.
    const cameBack = Math.ceil((Date.now() - began) / 6_000)
    expect(failures).toBeGreaterThanOrEqual(10)
    expect(failures).toBeLessThanOrEqual(11 + cameBack)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(refused.headers.get('cache-control')).toBe('no-store')
    expect(await refused.json()).toMatchObject({ error: 'slow_down' })
  })

  test('counts a failure as twenty also where it has far more in store', async () => {
    await database.sql`delete from rate_limits`
    const call = createEndpoint(database.sql, 1_000)
    for (let failure = 0; failure < 60; failure += 1) expect((await call('wrong')).status).toBe(401)
    expect((await call('right')).status).toBe(200)
  })
})

describe('Two processes on one database', () => {
  let products: TestProduct[]
  beforeAll(async () => {
    const options = { database_url: database.url, without_worker: true, sign_ins_per_minute: 12 }
    products = [
      await startTestProduct({
        ...options,
        public_url: 'http://127.0.0.1:1',
        trusted_proxies: ['127.0.0.0/8'],
      }),
      await startTestProduct({ ...options, public_url: 'http://127.0.0.1:1' }),
    ]
  })
  afterAll(async () => {
    for (const product of products) await product.close()
  })

  const signIn = (at: number, email: string, headers: Record<string, string> = {}) =>
    fetch(`${products[at]?.url}/auth/local`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'http://127.0.0.1:1', ...headers },
      body: JSON.stringify({ email }),
    })

  const statusesOf = async (calls: number, call: (index: number) => Promise<Response>) => {
    const statuses: number[] = []
    for (let index = 0; index < calls; index += 1) statuses.push((await call(index)).status)
    return statuses
  }

  test('refuse an address that tries too often, whichever it asks, and whatever it says of itself', async () => {
    await database.sql`delete from rate_limits`
    const statuses = await statusesOf(12, (index) =>
      signIn(1, `${fresh('nobody')}@example.com`, { 'x-forwarded-for': `203.0.113.${index}` }),
    )
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(5)
    const refused = await signIn(1, 'alice@example.com')
    expect(refused.status).toBe(429)
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    const { code, retry_after } = (await refused.json()) as { code: string; retry_after: number }
    expect(code).toBe('rate_limited')
    expect(refused.headers.get('retry-after')).toBe(String(retry_after))
    expect((await signIn(0, 'alice@example.com')).status).toBe(429)
    expect((await fetch(`${products[1]?.url}/auth/options`)).status).toBe(200)
  })

  test('believe a proxy that they were told of, but not what came to it from outside', async () => {
    await database.sql`delete from rate_limits`
    const from = (address: string) => ({ 'x-forwarded-for': `198.51.100.1, ${address}, 127.0.0.9` })
    const statuses = await statusesOf(12, () =>
      signIn(0, `${fresh('nobody')}@example.com`, from('203.0.113.7')),
    )
    expect(statuses).toContain(429)
    expect((await signIn(0, `${fresh('nobody')}@example.com`, from('203.0.113.7'))).status).toBe(429)
    expect((await signIn(0, `${fresh('nobody')}@example.com`, from('203.0.113.8'))).status).not.toBe(429)
  })

  test('refuse an account that is tried too often from ever other addresses', async () => {
    await database.sql`delete from rate_limits`
    const statuses = await statusesOf(8, (index) =>
      signIn(0, index % 2 === 0 ? 'Alice@example.com' : 'alice@EXAMPLE.com', {
        'x-forwarded-for': `203.0.113.${index}`,
      }),
    )
    expect(statuses.slice(0, 4)).not.toContain(429)
    expect(statuses).toContain(429)
  })
})

test('Reads of one caller are bounded too, in each process', async () => {
  const product = await startTestProduct({ without_worker: true, reads_per_minute: 3 })
  try {
    const alice = await product.as('alice')
    const statuses: number[] = []
    for (let call = 0; call < 5; call += 1) statuses.push((await alice.call('GET', '/me')).status)
    expect(statuses).toEqual([200, 200, 200, 429, 429])
    expect((await (await product.as('bob')).call('GET', '/me')).status).toBe(200)
  } finally {
    await product.close()
  }
})
