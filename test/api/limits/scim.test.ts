import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { addProvider } from '../scim/provider.ts'
import type { Provider } from '../scim/provider.ts'
import { eventually, startTestProduct } from '../../setup/product.ts'
import type { TestProduct } from '../../setup/product.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const perMinute = 40

let product: TestProduct
let other: TestProduct

beforeAll(async () => {
  const options = { scim_calls_per_minute: perMinute, without_worker: true }
  product = await startTestProduct(options)
  other = await startTestProduct({ ...options, database_url: product.database_url })
})
afterAll(async () => {
  await other.close()
  await product.close()
})

/** Which of the two processes is asked. */
const urlOf = (at: number) => (at % 2 === 0 ? product.url : other.url)

const call = (at: number, token: string) =>
  fetch(`${urlOf(at)}/scim/v2/Users?count=0`, { headers: { authorization: `Bearer ${token}` } })

async function callAll(times: number, of: Provider): Promise<{ statuses: number[]; cameBack: number }> {
  const began = Date.now()
  const statuses: number[] = []
  for (let at = 0; at < times; at += 1) statuses.push((await call(at, of.token)).status)
  return { statuses, cameBack: Math.ceil(((Date.now() - began) / 60_000) * perMinute) }
}

test('A token gets so many calls a minute from both processes together, and takes none of another one’s', async () => {
  await product.sql`delete from rate_limits`
  const [busy, calm] = [await addProvider(product), await addProvider(product)]
  const { statuses, cameBack } = await callAll(perMinute + 10, busy)
  const answered = statuses.filter((status) => status === 200).length
  expect(new Set(statuses)).toEqual(new Set([200, 429]))
  expect(answered).toBeGreaterThanOrEqual(perMinute - 4)
  expect(answered).toBeLessThanOrEqual(perMinute + cameBack + 4)
  const refused = await eventually('a refusal', async () => {
    const answer = await call(0, busy.token)
    return answer.status === 429 && answer
  })
  expect(await refused.json()).toMatchObject({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: '429',
  })
  expect(refused.headers.get('content-type')).toBe('application/scim+json')
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
  expect((await call(0, calm.token)).status).toBe(200)
})

test('Whoever has no valid token soon uses up what their address has', async () => {
  await product.sql`delete from rate_limits`
  const provider = await addProvider(product)
  const guess = (at: number) => call(at, `hpc_${'a'.repeat(43)}_AAAAAA`)
  const statuses: number[] = []
  for (let at = 0; at < 16; at += 1) statuses.push((await guess(at)).status)
  // Two tokens' worth for an address, twenty for each failure; what comes back meanwhile is on top.
  expect(new Set(statuses)).toEqual(new Set([401, 429]))
  expect(statuses.slice(0, 2)).toEqual([401, 401])
  await eventually('a refusal of whoever has the same address', async () => {
    await guess(0)
    return (await call(0, provider.token)).status === 429
  })
})
