import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { rows } from '../../db/client.ts'
import { hashOf, randomText } from '../../db/secret-tokens.ts'
import { startTestProduct } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'
import { fresh } from '../setup/people.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const origin = 'http://hallpass.test'

let product: TestProduct
let admin: Caller

beforeAll(async () => {
  product = await startTestProduct({ without_worker: true, public_url: origin })
  admin = await product.as('admin')
})
afterAll(() => product.close())

type Headers = Record<string, string>

/** Sends the first half of a body, does `meanwhile`, then sends the other; returns the status. */
async function sendSlowly(
  path: string,
  { body, headers, meanwhile }: { body: object; headers: Headers; meanwhile: () => Promise<unknown> },
): Promise<number> {
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  const isRead = Promise.withResolvers<undefined>()
  const stream = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(bytes.slice(0, 5))
      await isRead.promise
      controller.enqueue(bytes.slice(5))
      controller.close()
    },
  })
  const answer = fetch(`${product.url}${path}`, { method: 'POST', headers, body: stream, duplex: 'half' })
  // Whoever calls is known before the body has arrived: until then this has to wait.
  await vi.waitFor(async () => expect(await wasUsed()).toBe(true), 20_000)
  await meanwhile()
  isRead.resolve(undefined)
  return (await answer).status
}

/** What is shown notes its first use before the body is read. */
const wasUsed = async () =>
  (
    await rows(product.sql`
      select from personal_access_tokens where last_used_at is not null
      union all select from scim_tokens where last_used_at is not null
      union all select from sessions where last_seen_at > created_at`)
  ).length > 0

const groups = async (name: string) => rows(product.sql`select id from groups where name = ${name}`)

async function showPersonalToken(): Promise<{ headers: Headers; end: () => Promise<unknown> }> {
  const input = { name: 'laptop', scopes: ['admin'], expires_at: '2027-06-01T00:00:00Z' }
  const { body } = await admin.call<{ id: string; token: string }>('POST', '/personal-access-tokens', input)
  return {
    headers: { authorization: `Bearer ${body.token}`, 'content-type': 'application/json' },
    end: () => admin.call('DELETE', `/personal-access-tokens/${body.id}`),
  }
}

async function showSession(): Promise<{ headers: Headers; end: () => Promise<unknown> }> {
  const token = randomText()
  await product.sql`insert into sessions (id, token_hash, identity_id, method, created_at, last_seen_at, expires_at)
    values (${randomUUID()}, ${hashOf(token)}, ${admin.id}, 'local', now() - interval '5 minutes',
      now() - interval '5 minutes', now() + interval '1 hour')`
  const headers = { cookie: `hallpass_session=${token}`, origin, 'content-type': 'application/json' }
  return {
    headers,
    end: () => fetch(`${product.url}/auth/sign-out`, { method: 'POST', headers: { ...headers }, body: '{}' }),
  }
}

async function showScimToken(): Promise<{ headers: Headers; end: () => Promise<unknown> }> {
  const { body } = await admin.call<{ id: string; token: string }>('POST', '/scim-tokens', {
    name: fresh('p'),
  })
  return {
    headers: { authorization: `Bearer ${body.token}`, 'content-type': 'application/scim+json' },
    end: () => admin.call('DELETE', `/scim-tokens/${body.id}`),
  }
}

describe('What is removed while a body is still on its way writes nothing', () => {
  const scimGroup = 'urn:ietf:params:scim:schemas:core:2.0:Group'
  const cases = [
    ['a personal access token', '/api/v1/groups', showPersonalToken, (name: string) => ({ name })],
    ['a session', '/api/v1/groups', showSession, (name: string) => ({ name })],
    [
      'a SCIM token',
      '/scim/v2/Groups',
      showScimToken,
      (displayName: string) => ({ schemas: [scimGroup], displayName }),
    ],
  ] as const

  test.each(cases)('%s', async (_, path, show, bodyOf) => {
    const [ended, kept] = [fresh('ended'), fresh('kept')]
    const first = await show()
    expect(
      await sendSlowly(path, { body: bodyOf(ended), headers: first.headers, meanwhile: first.end }),
    ).toBe(401)
    expect(await groups(ended)).toEqual([])
    const second = await show()
    const meanwhile = () => Promise.resolve()
    expect(await sendSlowly(path, { body: bodyOf(kept), headers: second.headers, meanwhile })).toBe(201)
    expect(await groups(kept)).toHaveLength(1)
    await second.end()
    await product.sql`delete from sessions`
  })
})
