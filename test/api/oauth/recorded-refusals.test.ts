import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { rows } from '../../../db/client.ts'
import { createSecretToken } from '../../../db/secret-tokens.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import { addAdmin, addApplication, addPerson, addServiceAccount } from '../../setup/people.ts'
import { basic, formOf } from './machines.ts'

type One = { id: string }
type Event = { actor_id: string | null; object_id: string | null; detail: Record<string, unknown> }

const limits = {
  sign_ins_per_minute: 1_000_000,
  tokens_per_minute: 1_000_000,
  scim_calls_per_minute: 1_000_000,
  trusted_proxies: ['10.0.0.0/8'],
}

let database: TestDatabase
let api: TestApi
let person: One
let app: One

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql, { limits })
  app = await addApplication(database.sql)
})
beforeEach(async () => {
  await database.sql`delete from rate_limits`
  person = await addPerson(database.sql)
})
afterAll(() => database.drop())

const refusals = () =>
  rows<Event>(
    database.sql`select actor_id, object_id, detail from audit_events where kind = 'token.refused' order by seq`,
  )

/** What `work` adds to the log. */
async function toldOf(work: () => Promise<unknown>): Promise<Event[]> {
  const before = (await refusals()).length
  await work()
  return (await refusals()).slice(before)
}

const ask = (of: One, as: One | undefined, headers: Record<string, string> = {}, via = api) =>
  via.call('POST', `/applications/${of.id}/token`, { ...(as && { as: as.id }), headers })

describe('What is refused where tokens for applications are given is on record', () => {
  test('to whom, and why; of an application that there is none, nothing', async () => {
    const unknown = { id: randomUUID() }
    const told = await toldOf(async () => {
      expectRefusal(await ask(unknown, person), 404, 'not_found')
      expectRefusal(await ask({ id: 'x' }, person), 404, 'not_found')
      expectRefusal(await ask(app, person, { dpop: 'x' }), 422, 'invalid_request')
    })
    const event = { actor_id: person.id, object_id: person.id }
    const detail = { endpoint: 'application', app_id: null, error: 'not_found', reason: 'not_found' }
    expect(told).toEqual([
      { ...event, detail },
      { ...event, detail },
      {
        ...event,
        detail: {
          endpoint: 'application',
          app_id: app.id,
          error: 'invalid_request',
          reason: 'invalid_request',
        },
      },
    ])
    expect(JSON.stringify(told)).not.toContain(unknown.id)
  })

  test('where a personal access token has not the scope', async () => {
    const { token, hash } = createSecretToken('hpp')
    await database.sql`insert into personal_access_tokens (id, token_hash, identity_id, name, scopes, expires_at)
      values (${randomUUID()}, ${hash}, ${person.id}, 'reader', '{read}', now() + interval '1 day')`
    const told = await toldOf(async () =>
      expectRefusal(await ask(app, undefined, { authorization: `Bearer ${token}` }), 403, 'forbidden'),
    )
    expect(told).toMatchObject([
      { actor_id: person.id, detail: { app_id: app.id, error: 'forbidden', reason: 'forbidden' } },
    ])
    expect(JSON.stringify(told)).not.toContain(token)
  })

  test('whoever shows nothing good is told, and recorded, the same whether or not the application exists', async () => {
    const answers: unknown[] = []
    const told = await toldOf(async () => {
      for (const of of [app, { id: randomUUID() }])
        for (const authorization of [undefined, 'Bearer x', 'DPoP x', `Bearer hpp_${'x'.repeat(50)}`]) {
          const answer = await ask(of, undefined, authorization === undefined ? {} : { authorization })
          expectRefusal(answer, 401, 'unauthenticated')
          answers.push(answer.body)
        }
    })
    expect(answers.slice(0, 4)).toEqual(answers.slice(4))
    const detail = {
      endpoint: 'application',
      app_id: null,
      error: 'unauthenticated',
      reason: 'no_valid_credential',
    }
    expect(told).toEqual(answers.map(() => ({ actor_id: null, object_id: null, detail })))
  })

  test('whose identity is disabled, or token revoked', async () => {
    await database.sql`update identities set status = 'disabled' where id = ${person.id}`
    const told = await toldOf(async () => expectRefusal(await ask(app, person), 401, 'unauthenticated'))
    expect(told).toMatchObject([
      { actor_id: null, object_id: person.id, detail: { app_id: null, reason: 'inactive_or_revoked' } },
    ])
  })

  test('and nothing that was given, or failed for another reason, is', async () => {
    expect(await toldOf(async () => expect((await ask(app, person)).status).toBe(200))).toEqual([])
    const told = await toldOf(() => api.call('GET', `/applications/${randomUUID()}/token`, { as: person.id }))
    expect(told).toEqual([])
  })
})

describe('Nobody fills the log by calling too often', () => {
  test('a caller who has to wait is on record once a minute', async () => {
    const strict = await createTestApi(database.sql, { limits, writes_per_minute: 2 })
    const told = await toldOf(async () => {
      const statuses: number[] = []
      for (let call = 0; call < 12; call += 1) statuses.push((await ask(app, person, {}, strict)).status)
      expect(statuses).toEqual([200, 200, ...Array<number>(10).fill(429)])
    })
    expect(told).toMatchObject([{ object_id: person.id, detail: { error: 'rate_limited' } }])
  })

  test('an address that shows nothing good is stopped, and then on record once a minute', async () => {
    const strict = await createTestApi(database.sql, { limits: { ...limits, tokens_per_minute: 10 } })
    const statuses: number[] = []
    const told = await toldOf(async () => {
      for (let call = 0; call < 60; call += 1) {
        const answer = await ask(app, undefined, { authorization: 'Bearer x' }, strict)
        statuses.push(answer.status)
        if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
      }
    })
    expect(new Set(statuses)).toEqual(new Set([401, 429]))
    const limited = told.filter(({ detail }) => detail['error'] === 'rate_limited')
    expect(limited.length).toBeGreaterThanOrEqual(1)
    // A slow machine takes longer than a minute.
    expect(limited.length).toBeLessThanOrEqual(5)
    expect(told.length).toBe(limited.length + statuses.filter((status) => status === 401).length)
  })

  test('the same at /oauth, of clients and of addresses', async () => {
    const { sql } = database
    const strict = await createTestApi(sql, { limits: { ...limits, tokens_per_minute: 3 } })
    const { id } = await addServiceAccount(sql, person.id)
    const { body } = await api.call('POST', `/identities/${id}/credentials`, {
      as: (await addAdmin(sql)).id,
      body: { type: 'client_secret' },
    })
    const post = (path: string, secret: string) =>
      strict.call('POST', `/../../oauth/${path}`, {
        body: formOf({ grant_type: 'client_credentials', token: 'x' }),
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...basic({ id, secret }) },
      })
    const told = await toldOf(async () => {
      for (let call = 0; call < 8; call += 1) await post('token', String(body['client_secret']))
      for (let call = 0; call < 20; call += 1) await post('introspect', 'wrong')
    })
    const slowed = told.filter(({ detail }) => detail['error'] === 'slow_down')
    expect(slowed[0]).toMatchObject({
      object_id: id,
      detail: { endpoint: 'token', client_id: id, reason: 'client_limit' },
    })
    expect(slowed.at(-1)).toMatchObject({
      object_id: null,
      detail: { endpoint: 'introspect', client_id: null, reason: 'address_limit' },
    })
    expect(slowed.length).toBeLessThanOrEqual(6)
  })
})
