import { afterAll, beforeAll, expect, test } from 'vitest'

import type { AccessRequest } from '../../domain/access-request.ts'
import { expectRefusal } from '../setup/api.ts'
import { addGrant, addRequest, addTemplate, decide } from '../setup/people.ts'
import { startTestProduct } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

let it: TestProduct
let admin: Caller
let alice: Caller
beforeAll(async () => {
  it = await startTestProduct({ without_worker: true })
  ;[admin, alice] = (await Promise.all(['admin', 'alice'].map(it.as))) as [Caller, Caller]
})
afterAll(() => it.close())

const hour = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString()

async function held(query: string): Promise<string[]> {
  const answer = await admin.call<{ data: AccessRequest[] }>('GET', `/access-requests/all?${query}`)
  expect(answer.status).toBe(200)
  return answer.body.data.map(({ id }) => id)
}

test('An auditor finds what was held in a time, and nothing that was never granted', async () => {
  const template = () => addTemplate(it.sql)
  const running = (await addGrant(it.sql, await template(), alice)).request_id
  const revoked = (await addGrant(it.sql, await template(), alice)).request_id
  const actor = { id: admin.id, email: 'admin@example.com' }
  await decide(it.sql, revoked, { event: 'revoked', actor, comment: null })
  await addRequest(it.sql, await template(), alice)
  expect(await held(`held_from=${hour(-1)}&held_until=${hour(1)}`)).toEqual([revoked, running])
  expect(await held(`held_from=${hour(0.5)}`)).toEqual([running])
  expect(await held(`held_from=${hour(2)}`)).toEqual([])
  expect(await held(`held_until=${hour(-1)}`)).toEqual([])
  expect(await held('')).toHaveLength(3)
})

test.each(['yesterday', '', '0000-01-01T00:00:00Z', '2026-11-31T00:00:00Z', '99999-01-01T00:00:00Z'])(
  'A time that is none is refused: %j',
  async (time) => {
    for (const name of ['held_from', 'held_until']) {
      const answer = await admin.call('GET', `/access-requests/all?${name}=${encodeURIComponent(time)}`)
      expectRefusal(answer, 422, 'invalid_request', `/${name}`)
    }
  },
)
