import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

import { getRow, rows } from '../../db/client.ts'
import { createFirstAdminLink } from '../../db/sign-in/links.ts'
import { createBrowser, refusalOf } from '../api/sign-in/browser.ts'
import { getMe, isSignedIn, publicUrl } from '../api/sign-in/signing-in.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'
import { addAdmin, addPerson, fresh } from '../setup/people.ts'
import { startTestProduct } from '../setup/product.ts'
import type { TestProduct } from '../setup/product.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

/** Two processes on one database of the operator's own. */
let database: TestDatabase
let [first, second]: TestProduct[] = []
const said: string[] = []
const codeIn = (text: string): string => /#code=(hpl_[\w-]{50})$/.exec(text.trim())?.[1] ?? ''
const saidCodes = () => said.map(codeIn).filter((code) => code !== '')

const start = (fields: object = {}) =>
  startTestProduct({
    database_url: database.url,
    public_url: publicUrl,
    embedded: false,
    without_worker: true,
    say: (line) => void said.push(line),
    ...fields,
  })

beforeAll(async () => {
  database = await createTestDatabase()
  ;[first, second] = await Promise.all([start(), start()])
})
afterAll(async () => {
  await Promise.all([first?.close(), second?.close()])
  await database.drop()
})

const url = () => first?.url ?? expect.unreachable()
const origin = { origin: publicUrl }
const me = (email = `${fresh('founder')}@example.com`) => ({ email, display_name: 'The Founder' })

async function open(code: string, fields: object = {}, at = url()) {
  const browser = createBrowser(at)
  return { browser, answer: await browser.post('/auth/link', { code, ...fields }, origin) }
}

async function withoutAdmins(): Promise<void> {
  await database.sql`delete from memberships`
  await database.sql`delete from sign_in_links`
}

const count = async (table: string) =>
  (await getRow<{ count: number }>(database.sql`select count(*)::int from ${database.sql(table)}`)).count

test('On a database of the operator’s own nobody signs in by name', async () => {
  const browser = createBrowser(url())
  expect(await (await browser.go('/auth/options')).json()).toEqual({ providers: [], local: null })
  const answer = await browser.post('/auth/local', { email: 'admin@example.com' }, origin)
  expect(await refusalOf(answer)).toEqual({ status: 404, code: 'not_found' })
})

test('Every start without an admin prints a link; of two that are used at once, one makes the first admin', async () => {
  expect(said.join('\n')).toContain(`${publicUrl}/welcome#code=hpl_`)
  const [one = '', two = ''] = saidCodes()
  expect(saidCodes()).toHaveLength(2)
  const attempts = await Promise.all([
    open(one, me()),
    open(two, me(), second?.url),
    open(one, me(), second?.url),
    open(two, me()),
  ])
  const won = attempts.filter(({ answer }) => answer.status === 204)
  expect(won).toHaveLength(1)
  expect(attempts.filter(({ answer }) => answer.status === 401)).toHaveLength(3)
  const admin = await getMe(won[0]?.browser ?? expect.unreachable())
  expect(admin).toMatchObject({ display_name: 'The Founder', permissions: ['access_requests.manage'] })
  expect(await count('identities')).toBe(1)
  const kinds = await rows<{ kind: string }>(database.sql`
    select distinct kind from audit_events where kind like 'sign\_in%' or actor_id = ${admin.id} order by kind`)
  expect(kinds.map(({ kind }) => kind)).toEqual([
    'group.created',
    'identity.created',
    'identity.signed_in',
    'membership.added',
    'sign_in.refused',
    'sign_in_link.created',
    'sign_in_link.used',
  ])
})

test('A start with an admin prints none', async () => {
  const before = saidCodes().length
  await (await start()).close()
  expect(saidCodes()).toHaveLength(before)
})

describe('The first admin’s link', () => {
  beforeEach(withoutAdmins)

  const link = async () => (await createFirstAdminLink(database.sql)) ?? expect.unreachable()

  test('is good for a day, and once', async () => {
    const [code, late] = [await link(), await link()]
    await database.sql`update sign_in_links set expires_at = clock_timestamp() where id = (
      select id from sign_in_links order by id desc limit 1)`
    expect((await open(late, me())).answer.status).toBe(401)
    expect((await open(code, me())).answer.status).toBe(204)
    expect((await open(code, me())).answer.status).toBe(401)
  })

  test('is of no use once there is an admin', async () => {
    const code = await link()
    await addAdmin(database.sql)
    const { browser, answer } = await open(code, me())
    expect(await refusalOf(answer)).toEqual({ status: 401, code: 'unauthenticated' })
    expect(await isSignedIn(browser)).toBe(false)
  })

  test.each([
    ['no name', { email: 'a@b.example' }],
    ['no address', { display_name: 'Me' }],
    ['an address that is none', { email: 'me', display_name: 'Me' }],
    ['a name that cannot be seen', { email: 'a@b.example', display_name: '\u200b' }],
    ['a permission', { ...me(), permissions: [] }],
  ])('is not spent by %s', async (_, fields) => {
    const [code, people] = [await link(), await count('identities')]
    expect(await refusalOf((await open(code, fields)).answer)).toEqual({
      status: 422,
      code: 'invalid_request',
    })
    expect(await count('identities')).toBe(people)
    expect((await open(code, me())).answer.status).toBe(204)
  })

  test('makes nobody else an admin, whatever groups there are', async () => {
    const [known, other] = [await addPerson(database.sql), await addPerson(database.sql)]
    const admins = await getRow<{ id: string }>(database.sql`select id from groups where name = 'admins'`)
    await database.sql`update groups set permissions = '{}' where id = ${admins.id}`
    await database.sql`insert into memberships ${database.sql({ group_id: admins.id, identity_id: other.id })}`
    const { browser } = await open(await link(), me(known.email.toUpperCase()))
    expect(await getMe(browser)).toMatchObject({ id: known.id, permissions: ['access_requests.manage'] })
    const permissions = await rows(
      database.sql`select 1 from active_groups(${other.id}, clock_timestamp()) where permissions <> '{}'`,
    )
    expect(permissions).toEqual([])
  })

  test('is opened by no page elsewhere', async () => {
    const evil = { origin: 'https://evil.example' }
    const answer = await createBrowser(url()).post('/auth/link', { code: await link(), ...me() }, evil)
    expect(answer.status).toBe(403)
  })
})

describe('npm run sign-in-link', () => {
  async function print(...args: string[]): Promise<{ stdout: string; stderr: string }> {
    const env = { DATABASE_URL: database.url, PUBLIC_URL: publicUrl, DATA_DIR: '/nonexistent' }
    const command = promisify(execFile)(process.execPath, ['bin/sign-in-link.ts', ...args], { env })
    return command.catch((error: unknown) => error as { stdout: string; stderr: string })
  }

  test('prints a link by which an active person signs in, once, and says so in the audit log', async () => {
    const person = await addPerson(database.sql)
    const { stdout } = await print(person.email.toUpperCase())
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:8080\/sign-in#code=hpl_/)
    const { browser, answer } = await open(codeIn(stdout))
    expect(answer.status).toBe(204)
    expect(await getMe(browser)).toMatchObject({ email: person.email, session: { via: 'cookie' } })
    expect((await open(codeIn(stdout))).answer.status).toBe(401)
    const events = await rows<{ kind: string; detail: { email: string } }>(database.sql`
      select kind, detail from audit_events where kind like 'sign\_in\_link%' and detail ->> 'email' = ${person.email}
      order by seq`)
    expect(events.map(({ kind }) => kind)).toEqual(['sign_in_link.created', 'sign_in_link.used'])
    const { dump } = await getRow<{ dump: string }>(
      database.sql`select string_agg(l::text, ' ') as dump from sign_in_links l`,
    )
    expect(dump).not.toContain(codeIn(stdout))
  })

  test('prints none for whoever is not there, is disabled, or is a machine', async () => {
    const disabled = await addPerson(database.sql, { status: 'disabled' })
    const owner = await addPerson(database.sql)
    const bot = await addPerson(database.sql, {
      kind: 'agent',
      email: fresh('bot'),
      owner_id: owner.id,
      purpose: 'Answers questions',
      privilege_class: 'low',
    })
    for (const email of ['nobody@example.com', disabled.email, bot.email]) {
      const { stdout, stderr } = await print(email)
      expect(stdout).toBe('')
      expect(stderr).toBe(`  There is no active person ${email}.\n`)
    }
    expect((await print()).stderr).toContain('Usage')
  })

  test('a link that is late, or whose person was disabled meanwhile, signs nobody in', async () => {
    const [late, gone] = [await addPerson(database.sql), await addPerson(database.sql)]
    const [lateCode, goneCode] = [
      codeIn((await print(late.email)).stdout),
      codeIn((await print(gone.email)).stdout),
    ]
    await database.sql`update sign_in_links set expires_at = clock_timestamp() where identity_id = ${late.id}`
    await database.sql`update identities set status = 'disabled' where id = ${gone.id}`
    expect((await open(lateCode)).answer.status).toBe(401)
    expect((await open(goneCode)).answer.status).toBe(401)
  })

  test.each([[''], ['hpl_x'], ['x'.repeat(200)], [`hpl_${'A'.repeat(43)}_AAAAAA`]])(
    'the code %j opens nothing',
    async (code) => {
      expect(await refusalOf((await open(code)).answer)).toEqual({ status: 401, code: 'unauthenticated' })
    },
  )
})
