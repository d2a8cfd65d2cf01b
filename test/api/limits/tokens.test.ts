import { createHash, randomBytes } from 'node:crypto'

import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { rows } from '../../../db/client.ts'
import { basic, formOf, startMachines } from '../oauth/machines.ts'
import type { Machine, Machines } from '../oauth/machines.ts'
import { startTestProduct } from '../../setup/product.ts'
import type { TestProduct } from '../../setup/product.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const perMinute = 40

let machines: Machines
let other: TestProduct

beforeAll(async () => {
  const options = { secrets_key: [randomBytes(32)], tokens_per_minute: perMinute, without_worker: true }
  machines = await startMachines(options)
  const { database_url, url } = machines.product
  other = await startTestProduct({ ...options, database_url, public_url: url })
})
afterAll(async () => {
  await other.close()
  await machines.product.close()
})

/** Which of the two processes is asked. */
const mint = (at: number, machine: Machine) =>
  fetch(`${at % 2 === 0 ? machines.product.url : other.url}/oauth/token`, {
    method: 'POST',
    headers: { ...basic(machine), 'content-type': 'application/x-www-form-urlencoded' },
    body: formOf({ grant_type: 'client_credentials' }),
  })

test('A client gets so many tokens a minute from both processes together, and takes none of another one’s', async () => {
  await machines.product.sql`delete from rate_limits`
  const [busy, calm] = [await machines.addMachine(), await machines.addMachine()]
  const began = Date.now()
  const statuses: number[] = []
  for (let call = 0; call < 2 * perMinute; call += 1) statuses.push((await mint(call, busy)).status)
  const cameBack = Math.ceil(((Date.now() - began) / 60_000) * perMinute)
  const minted = statuses.filter((status) => status === 200).length
  expect(new Set(statuses)).toEqual(new Set([200, 429]))
  expect(minted).toBeGreaterThanOrEqual(perMinute - 4)
  expect(minted).toBeLessThanOrEqual(perMinute + cameBack + 4)
  const refused = [await mint(0, busy), await mint(1, busy)].find(({ status }) => status === 429)
  expect(await refused?.json()).toMatchObject({ error: 'slow_down' })
  expect((await mint(0, calm)).status).toBe(200)
})

test('Whoever does not know a client’s secret uses up nothing of it, but soon all of their own address', async () => {
  await machines.product.sql`delete from rate_limits`
  const machine = await machines.addMachine()
  const statuses: number[] = []
  for (let call = 0; call < perMinute; call += 1)
    statuses.push((await mint(call, { ...machine, secret: 'a guess' })).status)
  expect(new Set(statuses)).toEqual(new Set([401, 429]))
  // Ten clients' worth for an address, twenty for each failure; what comes back meanwhile is on top.
  expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401))
  const key = createHash('sha256')
    .update(JSON.stringify(['token.client', machine.id]))
    .digest()
  expect(await rows(machines.product.sql`select from rate_limits where key = ${key}`)).toEqual([])
})
