import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { AccessRequest, AccessRequestDetail } from '../../domain/access-request.ts'
import type { CatalogueEntry } from '../../domain/catalogue.ts'
import type { Identity } from '../../domain/directory.ts'
import type { EarlierRequest, RequestRun } from '../../domain/request-context.ts'
import { nobody } from '../../db/audit.ts'
import { createTestApi, expectRefusal } from '../setup/api.ts'
import type { TestApi } from '../setup/api.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'
import {
  addAdmin,
  addApplication,
  addGroup,
  addMapping,
  addPerson,
  addRequest,
  addServiceAccount,
  addTemplate,
  decide,
} from '../setup/people.ts'

let database: TestDatabase
let api: TestApi
let alice: Identity
let bob: Identity
let stranger: Identity
let admin: Identity

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql)
  ;[alice, bob, stranger] = await Promise.all([
    addPerson(database.sql),
    addPerson(database.sql),
    addPerson(database.sql),
  ])
  admin = await addAdmin(database.sql)
})
afterAll(() => database.drop())

type List<Item> = { data: Item[]; next_cursor: string | null }
const get = async <Body>(path: string, as: Identity) =>
  (await api.call<Body>('GET', path, { as: as.id })).body

describe('the catalogue', () => {
  const entryOf = async (template: { id: string }, as: Identity) => {
    const { data } = await get<List<CatalogueEntry>>('/catalogue?limit=200', as)
    return data.find(({ id }) => id === template.id)
  }

  test('names what a template grants, who decides, and for whom the caller can ask', async () => {
    const app = await addApplication(database.sql)
    const mapping = await addMapping(database.sql, app, { privilege_level: 'high' })
    const approvers = await addGroup(database.sql, [bob])
    const bot = await addServiceAccount(database.sql, alice.id)
    const template = await addTemplate(database.sql, {
      app_id: app.id,
      mapping_ids: [mapping.id],
      approver_group_ids: [approvers.id],
    })
    expect(await entryOf(template, alice)).toMatchObject({
      app_name: app.name,
      mappings: [{ name: mapping.name, claim: 'roles', value: 'reader', privilege_level: 'high' }],
      approver_groups: [approvers.name],
      may_request: true,
      subjects: [
        { id: alice.id, pending_request_id: null },
        { id: bot.id, pending_request_id: null },
      ],
    })
    expect((await entryOf(template, stranger))?.subjects).toHaveLength(1)
  })

  test('tells which subject has a pending request, and that a template is not for the caller', async () => {
    const template = await addTemplate(database.sql, {
      allowed_group_ids: [(await addGroup(database.sql, [alice])).id],
    })
    const id = await addRequest(database.sql, template, alice)
    expect((await entryOf(template, alice))?.subjects[0]).toMatchObject({ pending_request_id: id })
    expect(await entryOf(template, stranger)).toMatchObject({ may_request: false })
    expect((await entryOf(template, stranger))?.subjects[0]).toMatchObject({ pending_request_id: null })
  })

  test('takes no cursor of another list', async () => {
    const refused = await api.call('GET', '/catalogue?cursor=nonsense', { as: alice.id })
    expectRefusal(refused, 422, 'invalid_request', '/cursor')
  })
})

async function addAsked(): Promise<{ id: string; earlier: string }> {
  const group = await addGroup(database.sql, [bob])
  const terms = { approver_group_ids: [group.id] }
  const earlier = await addRequest(database.sql, await addTemplate(database.sql, terms), alice)
  await decide(database.sql, earlier, { event: 'denied', actor: bob, source: 'approver', comment: 'No.' })
  return { id: await addRequest(database.sql, await addTemplate(database.sql, terms), alice), earlier }
}

describe('what was asked before', () => {
  test('is told to an approver: of the same person, older ones only', async () => {
    const { id, earlier } = await addAsked()
    const { data } = await get<List<EarlierRequest>>(`/access-requests/${id}/earlier`, bob)
    expect(data[0]).toMatchObject({ id: earlier, status: 'denied', decision: 'denied' })
    expect(data.map((request) => request.id)).not.toContain(id)
    expect(data[0]).not.toHaveProperty('justification')
  })

  test('is not told to the requester, and to a stranger not even that there is such a request', async () => {
    const { id } = await addAsked()
    const path = `/access-requests/${id}/earlier`
    expectRefusal(await api.call('GET', path, { as: alice.id }), 403, 'forbidden')
    expectRefusal(await api.call('GET', path, { as: stranger.id }), 404, 'not_found')
  })
})

describe('the runs of a request', () => {
  async function addRun(request_id: string): Promise<void> {
    await database.sql`insert into script_runs (id, task_name, version, trigger, request_id, status, result, log)
      values (gen_random_uuid(), 'gate', 1, 'approved', ${request_id}, 'succeeded', 'fine',
        '[{"at_ms": 1, "level": "info", "text": "looked"}]')`
  }

  test('are told with their log to an approver, without it to the requester, not to a stranger', async () => {
    const { id } = await addAsked()
    await addRun(id)
    const path = `/access-requests/${id}/runs`
    expect((await get<List<RequestRun>>(path, bob)).data).toMatchObject([
      { task_name: 'gate', result: 'fine', log: [{ text: 'looked' }] },
    ])
    expect((await get<List<RequestRun>>(path, alice)).data).toMatchObject([
      { task_name: 'gate', result: null, log: null },
    ])
    expectRefusal(await api.call('GET', path, { as: stranger.id }), 404, 'not_found')
  })
})

describe('a single request', () => {
  const detailOf = (id: string, as: Identity) => get<AccessRequestDetail>(`/access-requests/${id}`, as)

  test('tells each caller what they can do with it, in each state', async () => {
    const { id, earlier } = await addAsked()
    expect((await detailOf(id, alice)).actions).toEqual(['revoke', 'post_message'])
    expect((await detailOf(id, bob)).actions).toEqual(['approve', 'deny', 'post_message'])
    expect((await detailOf(id, admin)).actions).toEqual(['revoke'])
    expect((await detailOf(earlier, bob)).actions).toEqual(['post_message'])
    await decide(database.sql, id, { event: 'approved', actor: nobody, source: 'auto', comment: null })
    expect((await detailOf(id, bob)).actions).toEqual(['revoke', 'post_message'])
  })

  test('carries the fields as they were when it was submitted, and who decides', async () => {
    const group = await addGroup(database.sql, [bob])
    const fields = [{ id: '018f2d3c-0000-7000-8000-000000000001', label: 'Change', type: 'text' }]
    const template = await addTemplate(database.sql, {
      custom_fields: fields,
      approver_group_ids: [group.id],
    })
    const id = await addRequest(database.sql, template, alice)
    expect(await detailOf(id, alice)).toMatchObject({
      custom_fields: [{ label: 'Change' }],
      approver_groups: [group.name],
      escalate_at: null,
      block_run: null,
    })
  })
})

describe('my requests', () => {
  test('can be narrowed to a state, and to no state that there is not', async () => {
    const { id, earlier } = await addAsked()
    const { data } = await get<List<AccessRequest>>('/access-requests?status=denied&limit=200', alice)
    const ids = data.map((request) => request.id)
    expect(ids).toContain(earlier)
    expect(ids).not.toContain(id)
    const refused = await api.call('GET', '/access-requests?status=lost', { as: alice.id })
    expectRefusal(refused, 422, 'invalid_request', '/status')
  })
})
