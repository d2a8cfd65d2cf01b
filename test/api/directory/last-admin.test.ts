import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'

import { connect, getRow, transaction } from '../../../db/client.ts'
import type { Sql } from '../../../db/client.ts'
import { changeScimUser, deleteScimUser } from '../../../db/scim/users.ts'
import type { Group, Identity } from '../../../domain/directory.ts'
import { DomainError } from '../../../domain/errors.ts'
import type { ScimUser } from '../../../domain/scim.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import { addGroup, addMember, addPerson, addServiceAccount } from '../../setup/people.ts'

/** Generous, for a machine that does much else. */
vi.setConfig({ testTimeout: 120_000 })

const manage = { permissions: ['access_requests.manage'] }

let database: TestDatabase
let api: TestApi
let ann: Identity
let admins: Group
let owner: Identity

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql)
})
afterAll(() => database.drop())

beforeEach(async () => {
  ann = await addPerson(database.sql)
  admins = await addGroup(database.sql, [ann], manage)
  owner = await addPerson(database.sql)
})
/** The next test begins with its own admins only. */
afterEach(() => database.sql`delete from memberships`)

const call = (as: Identity, method: string, path: string, body?: unknown) =>
  api.call(method, path, { as: as.id, body })
const member = (group: Group, { id }: Identity) => `/groups/${group.id}/members/${id}`

const asMachineOf = ({ id }: Identity) => ({
  kind: 'agent',
  owner_id: id,
  purpose: 'Answers questions',
  privilege_class: 'low',
  rotation_days: 30,
})

const end = '2099-01-01T00:00:00Z'
const attempts: [what: string, method: string, path: () => string, body?: unknown][] = [
  ['leaves the admins', 'DELETE', () => member(admins, ann)],
  ['gets an end to the membership', 'PUT', () => member(admins, ann), { expires_at: end }],
  ['takes the permission from the group', 'PUT', () => `/groups/${admins.id}`, { name: 'no longer admins' }],
  ['deletes the group', 'DELETE', () => `/groups/${admins.id}`],
  ['is disabled', 'PATCH', () => `/identities/${ann.id}`, { status: 'disabled' }],
  ['gets an end', 'PATCH', () => `/identities/${ann.id}`, { expires_at: end }],
]

test.each(attempts)('The last admin never %s', async (_, method, path, body) => {
  expectRefusal(await call(ann, method, path(), body), 409, 'last_admin')
  const { permissions } = (await call(ann, 'GET', '/me')).body
  expect(permissions).toEqual(['access_requests.manage'])
  const { audited } = await getRow<{ audited: number }>(database.sql`
    select count(*)::int as audited from audit_events where actor_id = ${ann.id}`)
  expect(audited).toBe(0)
})

test('The last admin is never made a machine', async () => {
  const answer = await call(ann, 'PATCH', `/identities/${ann.id}`, asMachineOf(owner))
  expectRefusal(answer, 409, 'last_admin')
})

test.each(attempts)('An admin beside another one may go: the one who %s', async (_, method, path, body) => {
  const eve = await addPerson(database.sql)
  await addGroup(database.sql, [eve], manage)
  expect([200, 204]).toContain((await call(eve, method, path(), body)).status)
})

test('Others who do not count as admins: a machine, a disabled one, one with an end, one whose membership ends', async () => {
  const others = [
    await addServiceAccount(database.sql, ann.id),
    await addPerson(database.sql, { status: 'disabled' }),
    await addPerson(database.sql, { expires_at: end }),
  ]
  for (const other of others) await addMember(database.sql, admins, other)
  await addMember(database.sql, admins, await addPerson(database.sql), end)
  expectRefusal(await call(ann, 'DELETE', member(admins, ann)), 409, 'last_admin')
})

test('The same person in two groups that manage may leave one of them', async () => {
  const second = await addGroup(database.sql, [ann], manage)
  expect((await call(ann, 'DELETE', member(admins, ann))).status).toBe(204)
  expectRefusal(await call(ann, 'DELETE', member(second, ann)), 409, 'last_admin')
})

test('What takes no admin away is not refused when the only admin has an end', async () => {
  await database.sql`update memberships set expires_at = ${end}`
  const [bob, others] = [await addPerson(database.sql), await addGroup(database.sql)]
  expect((await call(ann, 'PUT', member(others, bob), { expires_at: end })).status).toBe(204)
  expect((await call(ann, 'PATCH', `/identities/${bob.id}`, { display_name: 'Bob' })).status).toBe(200)
})

const countWaiting = async () => {
  const { waiting } = await getRow<{ waiting: number }>(database.sql`
    select count(*)::int as waiting from pg_stat_activity
    where wait_event_type = 'Lock' and datname = current_database()`)
  return waiting
}

test('Whoever was removed while their call was under way changes nothing any more', async () => {
  const eve = await addPerson(database.sql)
  const others = await addGroup(database.sql, [eve], manage)
  const calls: [method: string, path: string, body?: unknown][] = [
    ['PUT', member(others, await addPerson(database.sql))],
    ['DELETE', member(admins, ann)],
    ['PATCH', `/identities/${ann.id}`, { display_name: 'Was Ann' }],
    ['PUT', `/groups/${admins.id}`, { name: 'mine', ...manage }],
    ['DELETE', `/groups/${admins.id}`],
  ]
  const { answers } = await transaction(database.sql, async (tx) => {
    await tx`select from guards where name = 'active_admins' for update`
    const answers = calls.map((each) => call(eve, ...each))
    await expect.poll(countWaiting, { timeout: 3_000 }).toBe(calls.length)
    await tx`delete from memberships where identity_id = ${eve.id}`
    return { answers }
  })
  for (const answer of await Promise.all(answers)) expectRefusal(answer, 403, 'forbidden')
})

const countAdmins = async () => {
  const { count } = await getRow<{ count: number }>(database.sql`
    select count(distinct i.id)::int as count from identities i
    join memberships m on m.identity_id = i.id join groups g on g.id = m.group_id
    where i.status = 'active' and i.kind = 'human' and 'access_requests.manage' = any (g.permissions)`)
  return count
}

type RemovalOf = (who: Identity, group: Group) => [method: string, path: string, body?: unknown]
const removals: [string, number, RemovalOf][] = [
  ['removing', 200, (who, group) => ['DELETE', member(group, who)]],
  ['disabling', 50, (who) => ['PATCH', `/identities/${who.id}`, { status: 'disabled' }]],
  ['emptying the groups of', 50, (_, group) => ['PUT', `/groups/${group.id}`, { name: group.name }]],
  ['making machines of', 50, (who) => ['PATCH', `/identities/${who.id}`, asMachineOf(owner)]],
]

/** Each in a group of their own, so that no group's lock keeps the two apart. */
test.each(removals)(
  'Two admins %s each other, %i times: one of them always remains',
  async (_, trials, removalOf) => {
    const eve = await addPerson(database.sql)
    const others = await addGroup(database.sql, [], manage)
    for (let trial = 0; trial < trials; trial += 1) {
      await database.sql`update identities set status = 'active', kind = 'human', owner_id = null
        where id in (${ann.id}, ${eve.id})`
      await database.sql`update groups set permissions = ${manage.permissions} where id in (${admins.id}, ${others.id})`
      await addMember(database.sql, admins, ann)
      await addMember(database.sql, others, eve)
      const answers = await Promise.all([
        call(ann, ...removalOf(eve, others)),
        call(eve, ...removalOf(ann, admins)),
      ])
      expect(await countAdmins()).toBe(1)
      const refused = answers.filter(({ status }) => status >= 400)
      expect(refused).toHaveLength(1)
      expect(['last_admin', 'forbidden', 'unauthenticated']).toContain(refused[0]?.body['code'])
    }
  },
)

test('Three admins, each removing the next and disabling the one before: one of them always remains', async () => {
  const others = [await addPerson(database.sql), await addPerson(database.sql)]
  const circle = [ann, ...others]
  const next = (index: number) => circle[(index + 1) % 3] ?? ann
  const last = (index: number) => circle[(index + 2) % 3] ?? ann
  for (let trial = 0; trial < 50; trial += 1) {
    for (const admin of circle) {
      await database.sql`update identities set status = 'active' where id = ${admin.id}`
      await addMember(database.sql, admins, admin)
    }
    await Promise.all(
      circle.flatMap((admin, index) => [
        call(admin, 'DELETE', member(admins, next(index))),
        call(admin, 'PATCH', `/identities/${last(index).id}`, { status: 'disabled' }),
      ]),
    )
    expect(await countAdmins()).toBeGreaterThanOrEqual(1)
  }
})

type Provision = (sql: Sql, id: string) => Promise<unknown>
const provider = { id: null, email: 'scim:directory' }
const asInactive = (before: ScimUser) => Promise.resolve({ ...before, is_active: false })
const provisions: [string, Provision][] = [
  ['disables', (sql, id) => changeScimUser(sql, { id, actor: provider, edit: asInactive })],
  ['deletes', (sql, id) => deleteScimUser(sql, { id, actor: provider })],
]

test.each(provisions)(
  'An identity provider that %s all admins at once, beside an admin who makes a machine of another, leaves one',
  async (_, provision) => {
    const eve = await addPerson(database.sql)
    const other = connect(database.url, { max: 3 })
    for (let trial = 0; trial < 50; trial += 1) {
      await database.sql`delete from scim_users`
      await database.sql`update identities set status = 'active', kind = 'human', owner_id = null
        where id in (${ann.id}, ${eve.id})`
      for (const admin of [ann, eve]) await addMember(database.sql, admins, admin)
      const ends = await Promise.allSettled([
        provision(database.sql, ann.id),
        provision(other, eve.id),
        call(ann, 'PATCH', `/identities/${eve.id}`, asMachineOf(owner)),
      ])
      expect(await countAdmins()).toBe(1)
      const refused = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []))
      for (const reason of refused) expect(reason).toBeInstanceOf(DomainError)
      expect(refused.length).toBeGreaterThanOrEqual(1)
    }
    await other.end()
  },
)
