import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { nobody } from '../../../db/audit.ts'
import { rows, transaction } from '../../../db/client.ts'
import { updateIdentity } from '../../../db/directory/identities.ts'
import { beginAttempt, takeAttempt } from '../../../db/sign-in/attempts.ts'
import { createPersonLink } from '../../../db/sign-in/links.ts'
import { createToken, tokenPrefix, useToken } from '../../../db/sign-in/personal-access-tokens.ts'
import { createProvider } from '../../../db/sign-in/save-provider.ts'
import { beginSession, forgetEnded, useSession } from '../../../db/sign-in/sessions.ts'
import { findCaller } from '../../../db/directory/caller.ts'
import { createSealer } from '../../../db/sealing.ts'
import { hashOfSecretToken } from '../../../db/secret-tokens.ts'
import { SignInProviderInput } from '../../../domain/sign-in-provider.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import { addAdmin, addPerson } from '../../setup/people.ts'

vi.setConfig({ testTimeout: 120_000 })

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
  await addAdmin(database.sql)
})
afterAll(() => database.drop())

const signIn = (person: { id: string }) =>
  transaction(database.sql, (tx) => beginSession(tx, person, { method: 'local', replaced: undefined }))

const change = (id: string, patch: object) =>
  updateIdentity(database.sql, { id, patch, actor: nobody, precondition: undefined })

async function addToken({ id }: { id: string }): Promise<string> {
  const caller = (await findCaller(database.sql, id)) ?? expect.unreachable()
  const expires_at = new Date(Date.now() + 3_600_000).toISOString()
  const input = { name: 'laptop', scopes: ['read' as const], expires_at }
  return (await createToken(database.sql, { id: crypto.randomUUID(), input, caller })).token
}

const countOf = async (table: string, { id }: { id: string }) =>
  (await rows(database.sql`select 1 from ${database.sql(table)} where identity_id = ${id}`)).length

test('Disabling against signing in: whoever was let in before is out, and nobody is let in after', async () => {
  for (let trial = 0; trial < 20; trial += 1) {
    const person = await addPerson(database.sql)
    const attempts = Array.from({ length: 6 }, () => signIn(person))
    const disabling = change(person.id, { status: 'disabled' })
    const [answers] = await Promise.all([Promise.allSettled(attempts), disabling])
    for (const answer of answers) {
      if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'unauthenticated' })
      else expect(await useSession(database.sql, answer.value)).toBeUndefined()
    }
    expect(await countOf('sessions', person)).toBe(0)
  }
})

test.each([
  ['is disabled', { status: 'disabled' }],
  ['has ended', { expires_at: '2020-01-01T00:00:00Z' }],
])('Whoever %s keeps no session, no personal access token and no link', async (_, patch) => {
  const person = await addPerson(database.sql)
  await signIn(person)
  await addToken(person)
  await createPersonLink(database.sql, person.email)
  const tables = ['sessions', 'personal_access_tokens', 'sign_in_links']
  for (const table of tables) expect(await countOf(table, person)).toBe(1)
  await change(person.id, patch)
  for (const table of tables) expect(await countOf(table, person)).toBe(0)
})

test('Whoever was disabled while their call was on its way makes no token that enabling them would bring back', async () => {
  const person = await addPerson(database.sql)
  const caller = (await findCaller(database.sql, person.id)) ?? expect.unreachable()
  await change(person.id, { status: 'disabled' })
  const expires_at = new Date(Date.now() + 3_600_000).toISOString()
  const input = { name: 'laptop', scopes: ['read' as const], expires_at }
  const late = createToken(database.sql, { id: crypto.randomUUID(), input, caller })
  await expect(late).rejects.toMatchObject({ code: 'forbidden' })
  expect(
    await rows(database.sql`select id from personal_access_tokens where identity_id = ${person.id}`),
  ).toEqual([])
})

test('What was a person and is a machine now is let in by nothing that a person has', async () => {
  const [owner, person] = [await addPerson(database.sql), await addPerson(database.sql)]
  const [token, access_token] = [await signIn(person), await addToken(person)]
  const hash = hashOfSecretToken(tokenPrefix, access_token) ?? expect.unreachable()
  expect(await useSession(database.sql, token)).toBeDefined()
  expect(await useToken(database.sql, hash)).toBeDefined()
  const duties = { purpose: 'Answers', privilege_class: 'low', rotation_days: 90 }
  const machine = { kind: 'agent', owner_id: owner.id, ...duties }
  await change(person.id, machine)
  expect(await useSession(database.sql, token)).toBeUndefined()
  expect(await useToken(database.sql, hash)).toBeUndefined()
})

test('What has ended is forgotten, and nothing else', async () => {
  const [gone, idle, here] = await Promise.all([1, 2, 3].map(() => addPerson(database.sql)))
  if (!gone || !idle || !here) return expect.unreachable()
  for (const person of [gone, idle, here]) await signIn(person)
  await database.sql`update sessions set expires_at = clock_timestamp() where identity_id = ${gone.id}`
  await database.sql`update sessions set last_seen_at = clock_timestamp() - interval '3 hours'
    where identity_id = ${idle.id}`
  await forgetEnded(database.sql)
  expect(await Promise.all([gone, idle, here].map((person) => countOf('sessions', person)))).toEqual([
    0, 0, 1,
  ])
})

test('An attempt is taken once, by one of many, and not after its end', async () => {
  const input = SignInProviderInput.parse({ name: 'p', issuer: 'https://login.example.com', client_id: 'x' })
  const sealer = createSealer([Buffer.alloc(32, 1)])
  const id = crypto.randomUUID()
  await createProvider(database.sql, sealer, { id, input, actor: nobody })
  const attempt = { provider_id: id, return_to: '/' }
  await beginAttempt(database.sql, 'one', { ...attempt, lasts_s: 600 })
  const taken = await Promise.all(Array.from({ length: 10 }, () => takeAttempt(database.sql, 'one')))
  expect(taken.filter((found) => found !== undefined)).toHaveLength(1)
  await beginAttempt(database.sql, 'two', { ...attempt, lasts_s: 0 })
  expect(await takeAttempt(database.sql, 'two')).toBeUndefined()
  await beginAttempt(database.sql, 'three', { ...attempt, lasts_s: 0 })
  await forgetEnded(database.sql)
  expect(await rows(database.sql`select 1 from sign_in_attempts`)).toEqual([])
})
