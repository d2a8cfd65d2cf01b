import { generateKeyPairSync, randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { nobody } from '../../db/audit.ts'
import { getRow, rows, transaction } from '../../db/client.ts'
import type { Sql } from '../../db/client.ts'
import { forgetMakers } from '../../db/oauth/makers.ts'
import { findEligibleApprovers } from '../../db/requests/approvers.ts'
import { lockRequest, transition } from '../../db/transition.ts'
import { createTestApi, expectRefusal } from '../setup/api.ts'
import type { TestApi } from '../setup/api.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'
import {
  addApplication,
  addGroup,
  addMapping,
  addMember,
  addPerson,
  addRequest,
  addServiceAccount,
  addTemplate,
  decide,
} from '../setup/people.ts'

type One = { id: string }

let database: TestDatabase
let sql: Sql
let api: TestApi
let owner: One
/** Manages the directory, reads every request, and approves. */
let manager: One
let approver: One
let approvers: One
let template: One
let bot: One

beforeAll(async () => {
  database = await createTestDatabase()
  sql = database.sql
  api = await createTestApi(sql)
})
afterAll(() => database.drop())

beforeEach(async () => {
  ;[owner, manager, approver] = [await addPerson(sql), await addPerson(sql), await addPerson(sql)]
  await addGroup(sql, [manager], { permissions: ['directory.manage', 'audit.read'] })
  approvers = await addGroup(sql, [manager, approver])
  const app = await addApplication(sql)
  const mapping = await addMapping(sql, app)
  template = await addTemplate(sql, {
    app_id: app.id,
    mapping_ids: [mapping.id],
    approver_group_ids: [approvers.id],
  })
  bot = await addServiceAccount(sql, owner.id)
})

const add = (identity: One, as: One, body: object = { type: 'client_secret' }) =>
  api.call<One>('POST', `/identities/${identity.id}/credentials`, { as: as.id, body })

async function give(identity: One, as: One, body?: object): Promise<string> {
  const { status, body: made } = await add(identity, as, body)
  expect(status).toBe(201)
  return made.id
}

const take = async (identity: One, id: string, as: One) =>
  expect(
    (await api.call('DELETE', `/identities/${identity.id}/credentials/${id}`, { as: as.id })).status,
  ).toBe(204)

const change = async (identity: One, body: object, as = manager) =>
  expect((await api.call('PATCH', `/identities/${identity.id}`, { as: as.id, body })).status).toBe(200)

/** As if all that was ended had ended ten minutes ago. */
const later = () => sql`update credential_makers set ends_at = ends_at - interval '10 minutes'`

const eligible = async (request_id: string) =>
  (await findEligibleApprovers(sql, request_id)).map(({ id }) => id).toSorted()

const both = () => [manager.id, approver.id].toSorted()

/** What no code path does is refused by the database itself. */
const insertDecision = (request_id: string, who: One) =>
  sql`insert into decisions (id, request_id, approver_id, decision, source)
    values (${randomUUID()}, ${request_id}, ${who.id}, 'approved', 'approver')`.catch(
    (error: unknown) => error,
  )

async function expectLeftOut(request_id: string, who: One, code = 'self_approval_forbidden'): Promise<void> {
  for (const verb of ['approve', 'deny']) {
    const answer = await api.call('POST', `/access-requests/${request_id}/${verb}`, { as: who.id })
    expectRefusal(answer, code === 'not_found' ? 404 : 403, code)
  }
  expect(await insertDecision(request_id, who)).toMatchObject({ code: 'HP002' })
  expect(await eligible(request_id)).not.toContain(who.id)
  const { body } = await api.call<{ data: One[] }>('GET', '/access-requests/pending', { as: who.id })
  expect(body.data.map(({ id }) => id)).not.toContain(request_id)
}

const toldOf = async (id: string) =>
  (
    await getRow<{ told: string[] }>(sql`
    select array(select identity_id from notifications where request_id = ${id}) as told`)
  ).told

const timelineOf = async (id: string) =>
  (
    await rows<{ kind: string }>(sql`select kind from audit_events where request_id = ${id} order by seq`)
  ).map(({ kind }) => kind.replace('access_request.', ''))

describe('Whoever made a credential of a machine does not decide what it asks for', () => {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })

  test.each([
    ['a secret', () => ({ type: 'client_secret' })],
    ['a secret that ends', () => ({ type: 'client_secret', expires_at: '2099-01-01T00:00:00Z' })],
    ['a public key', () => ({ type: 'public_key', jwk: key })],
    [
      'a federated workload',
      () => ({
        type: 'federated',
        issuer: 'https://token.actions.githubusercontent.com',
        audience: 'hallpass',
        subject: `repo:acme/${randomUUID()}:ref:refs/heads/main`,
      }),
    ],
  ])('with %s: the machine that they made for somebody else asks in vain', async (_, credential) => {
    await give(bot, manager, credential())
    const id = await addRequest(sql, template, bot)
    await expectLeftOut(id, manager)
    expect(await toldOf(id)).toEqual([approver.id])
    expect(await eligible(id)).toEqual([approver.id])
  })

  test('made after it had asked', async () => {
    const id = await addRequest(sql, template, bot)
    expect(await eligible(id)).toEqual(both())
    await give(bot, manager)
    await expectLeftOut(id, manager)
  })

  test('also where its owner asked for it', async () => {
    await give(bot, manager)
    const id = await addRequest(sql, template, owner, { subject_id: bot.id })
    await expectLeftOut(id, manager)
    await expectLeftOut(id, owner, 'self_approval_forbidden')
  })

  test('and deleted before it asked: a token got with it may have asked', async () => {
    await take(bot, await give(bot, manager), manager)
    const id = await addRequest(sql, template, bot)
    await expectLeftOut(id, manager)
    await later()
    await expectLeftOut(id, manager)
  })

  test('and deleted after it had asked, however long ago', async () => {
    const made = await give(bot, manager)
    const id = await addRequest(sql, template, bot)
    await take(bot, made, manager)
    await sql`update credential_makers set ends_at = ends_at - interval '2 hours'`
    await forgetMakers(sql)
    await expectLeftOut(id, manager)
  })

  test('to whom a request is invisible it stays so', async () => {
    const other = await addPerson(sql)
    await addMember(sql, approvers, other)
    await addGroup(sql, [other], { permissions: ['directory.manage'] })
    await give(bot, other)
    await expectLeftOut(await addRequest(sql, template, bot), other, 'not_found')
  })

  test('an admin as little as anybody, where admins decide', async () => {
    const [one, two] = [await addPerson(sql), await addPerson(sql)]
    await addGroup(sql, [one, two], { permissions: ['access_requests.manage'] })
    const open = await addTemplate(sql)
    await give(bot, one)
    const id = await addRequest(sql, open, bot)
    await expectLeftOut(id, one)
    expect(await eligible(id)).toContain(two.id)
  })

  test('nor by another machine that they can act as', async () => {
    const provisioner = await addServiceAccount(sql, owner.id)
    await addGroup(sql, [provisioner], { permissions: ['directory.manage'] })
    const [delegate] = [await addPerson(sql)]
    await addMember(sql, approvers, delegate)
    await sql`insert into identity_delegates (identity_id, delegate_id) values (${provisioner.id}, ${delegate.id})`
    const [admin] = [await addPerson(sql)]
    await addGroup(sql, [admin], { permissions: ['access_requests.manage'] })
    await addMember(sql, approvers, admin)
    const hop = await give(provisioner, admin)
    await give(bot, provisioner)
    await take(provisioner, hop, admin)
    await later()
    const id = await addRequest(sql, template, bot)
    await expectLeftOut(id, admin)
    await expectLeftOut(id, delegate, 'not_found')
    expect(await eligible(id)).toEqual(both())
  })
})

describe('Whoever could act as it when it asked does not decide later', () => {
  test('its owner, after handing it over; nor its new owner', async () => {
    await addMember(sql, approvers, owner)
    const id = await addRequest(sql, template, bot)
    await change(bot, { owner_id: approver.id })
    await expectLeftOut(id, owner, 'not_found')
    await expectLeftOut(id, approver)
    expect(await eligible(id)).toEqual([manager.id])
  })

  test('a delegate, after being none any more; nor one who becomes one', async () => {
    const former = await addPerson(sql)
    await addMember(sql, approvers, former)
    await change(bot, { delegate_ids: [former.id] })
    const id = await addRequest(sql, template, bot)
    await change(bot, { delegate_ids: [approver.id] })
    await expectLeftOut(id, former, 'not_found')
    await expectLeftOut(id, approver, 'not_found')
    expect(await eligible(id)).toEqual([manager.id])
  })
})

describe('The request says that nobody is left who may decide', () => {
  const only = (who: One) => addGroup(sql, [who])

  test('where the maker is the only approver', async () => {
    const lonely = await addTemplate(sql, { approver_group_ids: [(await only(manager)).id] })
    await give(bot, manager)
    const id = await addRequest(sql, lonely, bot)
    expect(await timelineOf(id)).toEqual(['submitted', 'no_eligible_approver'])
    expect(await toldOf(id)).toEqual([])
  })

  test('once the last approver makes a credential, or comes to own it: once', async () => {
    const lonely = await addTemplate(sql, { approver_group_ids: [(await only(manager)).id] })
    const id = await addRequest(sql, lonely, bot)
    expect(await timelineOf(id)).toEqual(['submitted'])
    await give(bot, manager)
    await give(bot, manager)
    expect(await timelineOf(id)).toEqual(['submitted', 'no_eligible_approver'])
    const owned = await addTemplate(sql, { approver_group_ids: [(await only(approver)).id] })
    const other = await addRequest(sql, owned, bot)
    await change(bot, { owner_id: approver.id })
    expect(await timelineOf(other)).toEqual(['submitted', 'no_eligible_approver'])
  })
})

describe('A credential and a decision of one moment happen one after the other', () => {
  test('who waits for an approval makes no credential of what now holds more than they may grant', async () => {
    const id = await addRequest(sql, template, bot)
    let answer: ReturnType<typeof add> | undefined
    await transaction(sql, async (tx) => {
      const request = await lockRequest(tx, id)
      await transition(tx, request ?? expect.unreachable(), {
        event: 'approved',
        actor: { id: manager.id, email: null },
        source: 'approver',
        comment: null,
      })
      answer = add(bot, manager)
      await waitForLock()
    })
    expectRefusal(await (answer ?? expect.unreachable()), 403, 'forbidden')
  })

  /** Until somebody waits for what this transaction holds. */
  async function waitForLock(): Promise<void> {
    for (;;) {
      const waiting = await rows(sql`select 1 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`)
      if (waiting.length > 0) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
})

describe('Nobody else is left out', () => {
  test('not who made the credential of another machine, nor who made and owns nothing', async () => {
    await give(await addServiceAccount(sql, owner.id), manager)
    expect(await eligible(await addRequest(sql, template, bot))).toEqual(both())
  })

  test('not who made one that ended long before it asked, nor who deleted one', async () => {
    const made = await give(bot, manager)
    await take(bot, made, approver.id === owner.id ? approver : owner)
    await later()
    const id = await addRequest(sql, template, bot)
    expect(await eligible(id)).toEqual(both())
    await decide(sql, id, {
      event: 'approved',
      actor: { id: manager.id, email: null },
      source: 'approver',
      comment: null,
    })
  })

  test('not who made one that expired by itself long ago', async () => {
    const made = await give(bot, manager)
    await sql`update credentials set expires_at = clock_timestamp() - interval '1 hour' where id = ${made}`
    await forgetMakers(sql)
    expect(await eligible(await addRequest(sql, template, bot))).toEqual(both())
    await sql`update credentials set expires_at = null where id = ${made}`
    expect(
      await eligible(
        await addRequest(sql, await addTemplate(sql, { approver_group_ids: [approvers.id] }), bot),
      ),
    ).toEqual([approver.id])
  })

  test('not who rotated before: who makes the new one is', async () => {
    const other = await addPerson(sql)
    await addMember(sql, approvers, other)
    await addGroup(sql, [other], { permissions: ['directory.manage', 'audit.read'] })
    const old = await give(bot, manager)
    await give(bot, other)
    await take(bot, old, other)
    await later()
    const id = await addRequest(sql, template, bot)
    await expectLeftOut(id, other)
    expect(await eligible(id)).toEqual(both())
  })

  test('not by a credential that nobody made', async () => {
    await sql`insert into credentials (id, identity_id, type, secret_hash)
      values (${randomUUID()}, ${bot.id}, 'client_secret', ${Buffer.from(randomUUID())})`
    expect(await eligible(await addRequest(sql, template, bot))).toEqual(both())
  })

  test('and an automatic approval is nobody’s decision', async () => {
    await give(bot, manager)
    const id = await addRequest(sql, template, bot)
    await decide(sql, id, { event: 'approved', actor: nobody, source: 'auto', comment: null })
    expect(await getRow(sql`select status from access_requests where id = ${id}`)).toEqual({
      status: 'approved',
    })
  })
})
