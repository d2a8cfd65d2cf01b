import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { getRow, rows } from '../../db/client.ts'
import type { Sql } from '../../db/client.ts'
import { updateIdentity } from '../../db/directory/identities.ts'
import { findEligibleApprovers } from '../../db/requests/approvers.ts'
import { createTestApi, expectRefusal } from '../setup/api.ts'
import type { TestApi } from '../setup/api.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'
import {
  addAdmin,
  addGroup,
  addMember,
  addPerson,
  addRequest,
  addServiceAccount,
  addTemplate,
  decide,
  fresh,
} from '../setup/people.ts'

type One = { id: string }
type Person = One & { email: string }

let database: TestDatabase
let sql: Sql
let api: TestApi
/** Manages the directory, reads every request, and approves. */
let manager: Person
let approver: Person
let approvers: One
let template: One

beforeAll(async () => {
  database = await createTestDatabase()
  sql = database.sql
  api = await createTestApi(sql)
})
afterAll(() => database.drop())

const managing = { permissions: ['directory.manage', 'audit.read'] }

beforeEach(async () => {
  ;[manager, approver] = [await addPerson(sql), await addPerson(sql)]
  await addGroup(sql, [manager], managing)
  approvers = await addGroup(sql, [manager, approver])
  template = await addTemplate(sql, { approver_group_ids: [approvers.id] })
})

/** A person with an address of its own, as somebody makes one. */
async function make(as: One): Promise<Person> {
  const name = fresh('made')
  const body = { email: `${name}@example.com`, display_name: name }
  const answer = await api.call<Person>('POST', '/identities', { as: as.id, body })
  expect(answer.status).toBe(201)
  return answer.body
}

const change = async (identity: One, body: object, as: One) =>
  expect((await api.call('PATCH', `/identities/${identity.id}`, { as: as.id, body })).status).toBe(200)

const readdress = (identity: One, as: One) => change(identity, { email: `${fresh('new')}@example.com` }, as)

const eligible = async (request_id: string) =>
  (await findEligibleApprovers(sql, request_id)).map(({ id }) => id).toSorted()

const both = () => [manager.id, approver.id].toSorted()

const approve = (request_id: string, { id }: One) =>
  decide(sql, request_id, {
    event: 'approved',
    actor: { id, email: null },
    source: 'approver',
    comment: null,
  })

const timelineOf = async (id: string) =>
  (
    await rows<{ kind: string }>(sql`select kind from audit_events where request_id = ${id} order by seq`)
  ).map(({ kind }) => kind.replace('access_request.', ''))

async function expectLeftOut(request_id: string, who: One, code = 'self_approval_forbidden'): Promise<void> {
  for (const verb of ['approve', 'deny']) {
    const answer = await api.call('POST', `/access-requests/${request_id}/${verb}`, { as: who.id })
    expectRefusal(answer, code === 'not_found' ? 404 : 403, code)
  }
  // What no code path does is refused by the database itself.
  await expect(approve(request_id, who)).rejects.toMatchObject({ code: 'HP002' })
  expect(await eligible(request_id)).not.toContain(who.id)
  const { body } = await api.call<{ data: One[] }>('GET', '/access-requests/pending', { as: who.id })
  expect(body.data.map(({ id }) => id)).not.toContain(request_id)
}

describe('Whoever made a person does not decide what the person asks for', () => {
  test('however it came about: made, readdressed, or made of a machine', async () => {
    const [other, bot] = [await addPerson(sql), await addServiceAccount(sql, manager.id)]
    await readdress(other, manager)
    const person = { kind: 'human', owner_id: null, email: `${fresh('bot')}@example.com` }
    await change(bot, person, manager)
    for (const asking of [await make(manager), other, bot])
      await expectLeftOut(await addRequest(sql, await again(), asking), manager)
  })

  const again = () => addTemplate(sql, { approver_group_ids: [approvers.id] })

  test('nor where the change comes after the request', async () => {
    const other = await addPerson(sql)
    const id = await addRequest(sql, template, other)
    expect(await eligible(id)).toEqual(both())
    await readdress(other, manager)
    await expectLeftOut(id, manager)
    expect(await eligible(id)).toEqual([approver.id])
  })

  test('nor by a second person in between, nor by a machine of theirs', async () => {
    const middle = await make(manager)
    const provisioner = await addServiceAccount(sql, manager.id)
    await addGroup(sql, [middle, provisioner], managing)
    for (const maker of [middle, provisioner]) {
      const id = await addRequest(sql, await again(), await make(maker))
      await expectLeftOut(id, manager)
      expect(await eligible(id)).toEqual([approver.id])
    }
  })

  test('nor what a machine asks for that the person owns, speaks for, or could act as when it asked', async () => {
    const puppet = await make(manager)
    const [owned, spoken] = [
      await addServiceAccount(sql, puppet.id),
      await addServiceAccount(sql, approver.id, { delegate_ids: [puppet.id] }),
    ]
    const first = await addRequest(sql, template, owned)
    await expectLeftOut(first, manager)
    await expectLeftOut(await addRequest(sql, template, spoken), manager)
    await sql`update identities set owner_id = ${approver.id} where id = ${owned.id}`
    await expectLeftOut(first, manager)
  })

  test('whoever manages access requests for a time as little', async () => {
    const admins = await addGroup(sql, [], { permissions: ['access_requests.manage'] })
    await addMember(sql, admins, manager, '2099-01-01T00:00:00Z')
    await expectLeftOut(await addRequest(sql, template, await make(manager)), manager)
  })
})

describe('Whom somebody made does not decide what they ask for', () => {
  test('whoever put the person among the approvers', async () => {
    const puppet = await make(manager)
    await addMember(sql, approvers, puppet)
    const id = await addRequest(sql, template, manager)
    await expectLeftOut(id, puppet, 'not_found')
    expect(await eligible(id)).toEqual([approver.id])
  })

  test('nor one whose address they have set, also after the request', async () => {
    const id = await addRequest(sql, template, manager)
    await readdress(approver, manager)
    await expectLeftOut(id, approver, 'not_found')
    expect(await timelineOf(id)).toEqual(['submitted', 'no_eligible_approver'])
  })

  test('nor one made by whom they made; nor what a machine of theirs asks for', async () => {
    const middle = await make(manager)
    await addGroup(sql, [middle], managing)
    const last = await make(middle)
    await addMember(sql, approvers, last)
    await expectLeftOut(await addRequest(sql, template, manager), last, 'not_found')
    const bot = await addServiceAccount(sql, manager.id)
    await expectLeftOut(await addRequest(sql, template, bot), last, 'not_found')
  })
})

describe('The request says that nobody is left who may decide', () => {
  test('once the last approver gives its requester an address: once', async () => {
    const only = await addGroup(sql, [manager])
    const lonely = await addTemplate(sql, { approver_group_ids: [only.id] })
    const other = await addPerson(sql)
    const owned = await addServiceAccount(sql, other.id)
    const ids = [await addRequest(sql, lonely, other), await addRequest(sql, lonely, owned)]
    await readdress(other, manager)
    await readdress(other, manager)
    for (const id of ids) expect(await timelineOf(id)).toEqual(['submitted', 'no_eligible_approver'])
  })

  test('when it is submitted', async () => {
    const only = await addGroup(sql, [manager])
    const lonely = await addTemplate(sql, { approver_group_ids: [only.id] })
    const id = await addRequest(sql, lonely, await make(manager))
    expect(await timelineOf(id)).toEqual(['submitted', 'no_eligible_approver'])
    const { told } = await getRow<{ told: number }>(
      sql`select count(*)::int as told from notifications where request_id = ${id}`,
    )
    expect(told).toBe(0)
  })
})

describe('Nobody else is left out', () => {
  test('not who manages access requests for good, until they do not any more', async () => {
    const admin = await addAdmin(sql)
    await addMember(sql, approvers, admin)
    const puppet = await make(admin)
    await addMember(sql, approvers, puppet)
    const ids = [await addRequest(sql, template, puppet), await addRequest(sql, template, admin)]
    expect(await eligible(ids[0] ?? '')).toEqual([admin.id, ...both()].toSorted())
    expect(await eligible(ids[1] ?? '')).toEqual([puppet.id, ...both()].toSorted())
    await addAdmin(sql)
    await sql`delete from memberships where identity_id = ${admin.id} and group_id <> ${approvers.id}`
    for (const id of ids) expect(await eligible(id)).toEqual(both())
  })

  test('not two whom the same one made, nor who changed a name, an end or a life', async () => {
    const [one, two] = [await make(manager), await make(manager)]
    await addMember(sql, approvers, two)
    expect(await eligible(await addRequest(sql, template, one))).toEqual([two.id, approver.id].toSorted())
    const other = await addPerson(sql)
    await change(other, { display_name: 'Another name' }, manager)
    await change(other, { expires_at: '2099-01-01T00:00:00Z' }, manager)
    await change(other, { status: 'disabled' }, manager)
    await change(other, { status: 'active' }, manager)
    expect(await eligible(await addRequest(sql, template, other))).toContain(manager.id)
  })

  test('not by an address of one’s own, nor by a machine that somebody made for another', async () => {
    await readdress(manager, manager)
    const owner = await addPerson(sql)
    const body = { email: fresh('bot'), display_name: 'Bot', kind: 'agent', owner_id: owner.id, purpose: 'X' }
    const answer = await api.call<One>('POST', '/identities', {
      as: manager.id,
      body: { ...body, privilege_class: 'low' },
    })
    expect(await eligible(await addRequest(sql, template, answer.body))).toEqual(both())
    expect(await rows(sql`select from identity_makers where maker_id = ${manager.id}`)).toEqual([])
  })

  test('not by whom the product or a provider made', async () => {
    const id = await addRequest(sql, template, await addPerson(sql))
    expect(await eligible(id)).toEqual(both())
    await approve(id, manager)
  })

  test('and the same creation twice is one', async () => {
    const name = fresh('made')
    const body = { email: `${name}@example.com`, display_name: name }
    const headers = { 'idempotency-key': randomUUID() }
    for (const _ of [1, 2]) await api.call('POST', '/identities', { as: manager.id, body, headers })
    expect(await rows(sql`select from identity_makers where maker_id = ${manager.id}`)).toHaveLength(1)
  })
})

/** In what order both happened, by the log that each writes while it holds the request. */
const orderOf = async (request_id: string, person: One) =>
  (
    await rows<{ kind: string }>(sql`
      select kind from audit_events where (request_id = ${request_id} and kind = 'access_request.approved')
        or (object_id = ${person.id} and kind = 'identity.updated') order by seq`)
  ).map(({ kind }) => kind)

describe('An address and a decision of one moment happen one after the other', () => {
  const trials = 25
  const setAddress = (person: One, actor: Person) =>
    updateIdentity(sql, {
      id: person.id,
      patch: { email: `${fresh('new')}@example.com` },
      actor,
      precondition: undefined,
    })

  test.each([
    [
      'the approver sets that of the requester',
      (other: Person) => ({ made: other, by: manager, asks: other, decides: manager }),
    ],
    [
      'the requester sets that of the approver',
      (other: Person) => ({ made: other, by: manager, asks: manager, decides: other }),
    ],
  ])(
    'while %s: no decision comes after it',
    async (_, roles) => {
      for (let trial = 0; trial < trials; trial += 1) {
        const other = await addPerson(sql)
        await addMember(sql, approvers, other)
        const { made, by, asks, decides } = roles(other)
        const id = await addRequest(sql, await addTemplate(sql, { approver_group_ids: [approvers.id] }), asks)
        const racers = [() => approve(id, decides), () => setAddress(made, by)]
        await Promise.allSettled((trial % 2 === 0 ? racers : racers.toReversed()).map((race) => race()))
        const order = await orderOf(id, made)
        expect(order.slice(0, 2)).not.toEqual(['identity.updated', 'access_request.approved'])
        expect(order).toContain('identity.updated')
      }
    },
    120_000,
  )
})
