import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { getRow, rows } from '../../db/client.ts'
import type { AccessRequest } from '../../domain/access-request.ts'
import type { Template } from '../../domain/template.ts'
import { expectRefusal } from '../setup/api.ts'
import { eventually, getRequest, startTestProduct, submit } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

type Fields = { [key: string]: unknown }

const path = '/access-request-templates'

let it: TestProduct
let alice: Caller
let bob: Caller
let carol: Caller
let admin: Caller
let app_id: string

beforeAll(async () => {
  it = await startTestProduct()
  ;[alice, bob, carol, admin] = (await Promise.all(['alice', 'bob', 'carol', 'admin'].map(it.as))) as [
    Caller,
    Caller,
    Caller,
    Caller,
  ]
  app_id = (await getRow<{ id: string }>(it.sql`select id from applications`)).id
})
afterAll(() => it.close())

const fresh = (what: string) => `${what} ${randomUUID()}`
const input = (changes: Fields = {}): Fields => ({ name: fresh('T'), app_id, ...changes })

const create = (body: Fields, headers?: Record<string, string>) =>
  admin.call<Template>('POST', path, body, headers)

async function created(changes: Fields = {}): Promise<Template> {
  const answer = await create(input(changes))
  expect(answer.status).toBe(201)
  return answer.body
}

/** A template as an admin would send it back. */
function inputOf({ id: _id, created_at: _c, updated_at: _u, ...rest }: Fields): Fields {
  return rest
}

const replace = (id: string, body: Fields, headers?: Record<string, string>) =>
  admin.call<Template>('PUT', `${path}/${id}`, body, headers)

const remove = (id: string, headers?: Record<string, string>) =>
  admin.call('DELETE', `${path}/${id}`, undefined, headers)

const groupId = async (name: string) =>
  (await getRow<{ id: string }>(it.sql`select id from groups where name = ${name}`)).id

const addTask = async (script = `export const run = () => 'x'`) =>
  (await admin.call<{ id: string }>('POST', '/scheduled-tasks', { name: fresh('task'), script })).body.id

async function addMappingOfAnotherApp(): Promise<string> {
  const slug = `app-${randomUUID()}`
  const app = await admin.call<{ id: string }>('POST', '/applications', { name: slug, slug })
  const mapping = { name: 'reader', claim: 'roles', value: 'reader' }
  return (await admin.call<{ id: string }>('POST', `/applications/${app.body.id}/mappings`, mapping)).body.id
}

describe('a template', () => {
  test('has the defaults of the specification where only name and application are given', async () => {
    const { status, headers, body } = await create({ name: ' Plain ', app_id })
    expect(status).toBe(201)
    expect(headers.get('location')).toBe(`/api/v1${path}/${body.id}`)
    expect(headers.get('etag')).toBe('"1"')
    expect(inputOf(body)).toEqual({
      name: 'Plain',
      description: '',
      app_id,
      mapping_ids: [],
      allowed_durations: [],
      approver_group_ids: [],
      allowed_group_ids: [],
      prefer_requester_groups: false,
      require_justification: true,
      auto_approve: false,
      notification_policy: 'all',
      notification_count: 1,
      escalation_after_mins: null,
      escalation_group_id: null,
      custom_fields: [],
      trigger_task_id: null,
      trigger_task_failure_mode: 'ignore',
    })
  })

  test('is read by everybody, written by admins alone', async () => {
    const { id } = await created()
    expect((await alice.call('GET', `${path}/${id}`)).status).toBe(200)
    expect((await alice.call('GET', path)).status).toBe(200)
    expectRefusal(await alice.call('POST', path, { nonsense: 1 }), 403, 'forbidden')
    expectRefusal(await alice.call('PUT', `${path}/${id}`, input()), 403, 'forbidden')
    expectRefusal(await alice.call('DELETE', `${path}/${id}`), 403, 'forbidden')
    expectRefusal(await alice.call('DELETE', `${path}/${randomUUID()}`), 403, 'forbidden')
  })

  test('comes back from PUT and GET as it was sent, lists in their order', async () => {
    const [dba, managers] = [await groupId('dba-team'), await groupId('engineering-managers')]
    const { id } = await created()
    const body = input({
      description: 'Über\nall',
      allowed_durations: [480, 60, 240],
      approver_group_ids: [managers, dba],
      allowed_group_ids: [dba],
      prefer_requester_groups: true,
      require_justification: false,
      notification_policy: 'round_robin',
      notification_count: 3,
      escalation_after_mins: 5,
      escalation_group_id: managers,
      trigger_task_id: await addTask(),
      trigger_task_failure_mode: 'block',
    })
    const saved = await replace(id, body)
    expect(saved.body).toMatchObject(body)
    expect((await alice.call('GET', `${path}/${id}`)).body).toEqual(saved.body)
  })

  test('that does not exist is not found, changed or deleted', async () => {
    for (const id of [randomUUID(), 'no-id', '%00', '%F0', '__proto__']) {
      expectRefusal(await admin.call('GET', `${path}/${id}`), 404, 'not_found')
      expectRefusal(await replace(id, input()), 404, 'not_found')
      expectRefusal(await remove(id), 404, 'not_found')
    }
  })

  test('is found by its id in capitals', async () => {
    const { id } = await created()
    expect((await admin.call<Template>('GET', `${path}/${id.toUpperCase()}`)).body.id).toBe(id)
  })
})

describe('a template is refused', () => {
  test.each<[string, Fields]>([
    ['name', { name: '' }],
    ['name', { name: ' \t ' }],
    ['name', { name: 'two\nlines' }],
    ['name', { name: 'x'.repeat(201) }],
    ['name', { name: 'a\0b' }],
    ['name', { name: '\uD800' }],
    ['name', { name: null }],
    ['description', { description: 5 }],
    ['app_id', { app_id: 'internal-db' }],
    ['mapping_ids', { mapping_ids: 'all' }],
    ['mapping_ids/0', { mapping_ids: ['x'] }],
    ['allowed_durations/0', { allowed_durations: [0] }],
    ['allowed_durations/1', { allowed_durations: [1, -5] }],
    ['allowed_durations/0', { allowed_durations: [1.5] }],
    ['allowed_durations/0', { allowed_durations: ['60'] }],
    ['allowed_durations/0', { allowed_durations: [5_256_001] }],
    ['allowed_durations', { allowed_durations: [60, 60] }],
    ['allowed_durations', { allowed_durations: Array.from({ length: 10_000 }, (_, i) => i + 1) }],
    ['approver_group_ids/0', { approver_group_ids: [null] }],
    ['prefer_requester_groups', { prefer_requester_groups: 'yes' }],
    ['require_justification', { require_justification: null }],
    ['auto_approve', { auto_approve: 1 }],
    ['notification_policy', { notification_policy: 'everyone' }],
    ['notification_count', { notification_count: 0 }],
    ['notification_count', { notification_count: 1.5 }],
    ['notification_count', { notification_count: 2_147_483_648 }],
    ['escalation_group_id', { escalation_after_mins: 5 }],
    ['escalation_group_id', { escalation_group_id: randomUUID() }],
    ['escalation_after_mins', { escalation_after_mins: 0, escalation_group_id: randomUUID() }],
    ['trigger_task_failure_mode', { trigger_task_failure_mode: 'maybe' }],
    ['trigger_task_failure_mode', { trigger_task_failure_mode: 'block' }],
    ['custom_fields/0/label', { custom_fields: [{ label: '', type: 'text' }] }],
    ['custom_fields/0/type', { custom_fields: [{ label: 'A', type: 'date' }] }],
    ['custom_fields/0/options', { custom_fields: [{ label: 'A', type: 'select' }] }],
    ['custom_fields/0/options', { custom_fields: [{ label: 'A', type: 'multi_select', options: [] }] }],
    ['custom_fields/0/options', { custom_fields: [{ label: 'A', type: 'text', options: ['x'] }] }],
    ['custom_fields/0/options', { custom_fields: [{ label: 'A', type: 'select', options: ['x', 'x '] }] }],
    ['custom_fields/0/secret', { custom_fields: [{ label: 'A', type: 'text', secret: true }] }],
    ['custom_fields/0/id', { custom_fields: [{ id: 'x', label: 'A', type: 'text' }] }],
    [
      'custom_fields',
      {
        custom_fields: [
          { label: 'A', type: 'text' },
          { label: ' A', type: 'checkbox' },
        ],
      },
    ],
    ['snapshot', { snapshot: {} }],
    ['version', { version: 2 }],
    ['id', { id: randomUUID() }],
  ])('for its %s: %j', async (pointer, changes) => {
    expectRefusal(await create(input(changes)), 422, 'invalid_request', `/${pointer}`)
  })

  test('with every wrong field named at once', async () => {
    const answer = await create(input({ name: '', notification_count: 0, extra: 1 }))
    for (const pointer of ['/name', '/notification_count', '/extra'])
      expectRefusal(answer, 422, 'invalid_request', pointer)
  })

  test('with two fields of one id, however it is spelt', async () => {
    const id = randomUUID()
    const custom_fields = [id, id.toUpperCase()].map((id, at) => ({ id, label: `L${at}`, type: 'text' }))
    expectRefusal(await create(input({ custom_fields })), 422, 'invalid_request', '/custom_fields')
  })

  test.each(['mapping_ids', 'approver_group_ids', 'allowed_group_ids'])(
    'where %s names what is not there, at its place',
    async (field) => {
      const answer = await create(input({ [field]: [randomUUID()] }))
      expectRefusal(answer, 422, 'invalid_request', `/${field}/0`)
    },
  )

  test('where application, escalation group or trigger task are not there', async () => {
    const nothing = randomUUID()
    expectRefusal(await create(input({ app_id: nothing })), 422, 'invalid_request', '/app_id')
    const escalation = { escalation_after_mins: 5, escalation_group_id: nothing }
    expectRefusal(await create(input(escalation)), 422, 'invalid_request', '/escalation_group_id')
    const task = { trigger_task_id: nothing }
    expectRefusal(await create(input(task)), 422, 'invalid_request', '/trigger_task_id')
  })

  test('where a mapping belongs to another application', async () => {
    const mapping_ids = [await addMappingOfAnotherApp()]
    expectRefusal(await create(input({ mapping_ids })), 422, 'invalid_request', '/mapping_ids/0')
    const { id, name } = await created()
    expectRefusal(await replace(id, input({ name, mapping_ids })), 422, 'invalid_request', '/mapping_ids/0')
  })

  test('where it names a temporary group', async () => {
    const granted = await it.template({ auto_approve: true })
    const request = await submit(alice, granted.id)
    const group = await groupId(`__access_req_${request.id}`)
    for (const field of ['approver_group_ids', 'allowed_group_ids']) {
      expectRefusal(await create(input({ [field]: [group] })), 422, 'invalid_request', `/${field}/0`)
    }
    const escalation = { escalation_after_mins: 5, escalation_group_id: group }
    expectRefusal(await create(input(escalation)), 422, 'invalid_request', '/escalation_group_id')
  })

  test('when its name is taken, in any case; and ten at once make one', async () => {
    const { name } = await created()
    expectRefusal(await create(input({ name: name.toUpperCase() })), 409, 'name_taken', '/name')
    const other = await created()
    expectRefusal(await replace(other.id, input({ name })), 409, 'name_taken', '/name')
    const body = input()
    const answers = await Promise.all(Array.from({ length: 10 }, () => create(body)))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      201,
      ...Array<number>(9).fill(409),
    ])
  })

  test('when its application changes', async () => {
    const { id } = await created()
    const slug = `app-${randomUUID()}`
    const other = await admin.call<{ id: string }>('POST', '/applications', { name: slug, slug })
    const answer = await replace(id, input({ app_id: other.body.id }))
    expectRefusal(answer, 422, 'app_id_immutable', '/app_id')
    expect((await replace(id, input({ app_id: app_id.toUpperCase() }))).body.app_id).toBe(app_id)
  })
})

describe('a version', () => {
  test('is the ETag: it changes with every save, and guards PUT and DELETE', async () => {
    const { id } = await created()
    const first = (await admin.call('GET', `${path}/${id}`)).headers.get('etag') ?? ''
    const saved = await replace(id, input(), { 'if-match': first })
    expect([saved.status, saved.headers.get('etag')]).toEqual([200, '"2"'])
    expectRefusal(await replace(id, input(), { 'if-match': first }), 412, 'precondition_failed')
    expectRefusal(await remove(id, { 'if-match': first }), 412, 'precondition_failed')
    expect((await remove(id, { 'if-match': '"2"' })).status).toBe(204)
  })

  test.each(['W/"2"', '"3"', '2', '""', '"02"', '"2', 'x', '"1", W/"2"', '"1e0"'])(
    'If-Match %s matches nothing',
    async (tag) => {
      const { id } = await created()
      await replace(id, input())
      expectRefusal(await replace(id, input(), { 'if-match': tag }), 412, 'precondition_failed')
      expectRefusal(await remove(id, { 'if-match': tag }), 412, 'precondition_failed')
    },
  )

  test.each(['*', ' * ', '"1"', '"7", "1"', '"1","9"'])('If-Match %s matches version 1', async (tag) => {
    const { id } = await created()
    expect((await replace(id, input(), { 'if-match': tag })).status).toBe(200)
  })

  test('of two admins who have read the same one, one saves', async () => {
    const { id } = await created()
    const saves = Array.from({ length: 6 }, () => replace(id, input(), { 'if-match': '"1"' }))
    const statuses = (await Promise.all(saves)).map(({ status }) => status)
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 412, 412, 412, 412, 412])
  })

  test('of a template that is not there is not asked for: 404, not 412', async () => {
    expectRefusal(await replace(randomUUID(), input(), { 'if-match': '"1"' }), 404, 'not_found')
    expectRefusal(await remove(randomUUID(), { 'if-match': '*' }), 404, 'not_found')
  })
})

describe('custom fields', () => {
  test('get ids from the server, and keep them by their label', async () => {
    const { id, custom_fields } = await created({
      custom_fields: [
        { label: 'A', type: 'text' },
        { label: 'B', type: 'checkbox' },
      ],
    })
    const [a, b] = custom_fields
    expect(new Set([a?.id, b?.id]).size).toBe(2)
    const saved = await replace(
      id,
      input({
        custom_fields: [
          { label: 'B', type: 'text', required: true },
          { label: 'C', type: 'text' },
          { label: 'A', type: 'textarea' },
        ],
      }),
    )
    const ids = saved.body.custom_fields.map((field) => field.id)
    expect([ids[0], ids[2]]).toEqual([b?.id, a?.id])
    expect(ids[1]).not.toBe(a?.id)
  })

  test('keep their ids when they are renamed with them, and the old label gets another', async () => {
    const { id, custom_fields } = await created({ custom_fields: [{ label: 'Old', type: 'text' }] })
    const renamed = [
      { id: custom_fields[0]?.id, label: 'New', type: 'text' },
      { label: 'Old', type: 'text' },
    ]
    const { body } = await replace(id, input({ custom_fields: renamed }))
    expect(body.custom_fields[0]?.id).toBe(custom_fields[0]?.id)
    expect(body.custom_fields[1]?.id).not.toBe(custom_fields[0]?.id)
  })

  test('are answered under the usual spelling of an id that was given in capitals', async () => {
    const given = randomUUID()
    const custom_fields = [{ id: given.toUpperCase(), label: 'A', type: 'text', required: true }]
    const template = await created({ custom_fields, allowed_durations: [60] })
    expect(template.custom_fields[0]?.id).toBe(given)
    await submit(alice, template.id, { custom_answers: { [given]: 'x' } })
  })
})

describe('a template with requests', () => {
  const close = (caller: Caller, id: string, verb: string) =>
    caller.call('POST', `/access-requests/${id}/${verb}`)

  test('cannot be deleted while one is pending or approved; then it can, and they keep what they were', async () => {
    const template = await it.template()
    const denied = await submit(alice, template.id)
    expectRefusal(await remove(template.id), 409, 'template_in_use')
    await close(bob, denied.id, 'deny')
    const approved = await submit(alice, template.id)
    await close(bob, approved.id, 'approve')
    expectRefusal(await remove(template.id), 409, 'template_in_use')
    await close(alice, approved.id, 'revoke')
    const before = await getRequest(alice, approved.id)
    expect((await remove(template.id)).status).toBe(204)
    const after = await getRequest(alice, approved.id)
    expect(after).toEqual({
      ...before,
      template_id: null,
      template_deleted: true,
      timeline: expect.any(Array) as unknown,
    })
    expect(after.template_name).toBe(template['name'])
    const listed = await alice.call<{ data: AccessRequest[] }>('GET', '/access-requests')
    expect(listed.body.data.find(({ id }) => id === denied.id)).toMatchObject({
      template_id: null,
      template_deleted: true,
      template_name: template['name'],
    })
    expectRefusal(await remove(template.id), 404, 'not_found')
  })

  test('deleted while ten people ask for it: a request or a deletion, never both, and none without its template', async () => {
    const callers = [alice, bob, carol, admin, await it.as('dana')]
    for (let round = 0; round < 4; round++) {
      const template = await it.template()
      const body = { template_id: template.id, requested_duration_mins: 60, justification: 'Race.' }
      const asks = [...callers, ...callers].map((caller) => caller.call('POST', '/access-requests', body))
      const answers = await Promise.all([...asks.slice(0, 5), remove(template.id), ...asks.slice(5)])
      const [deleted] = answers.splice(5, 1)
      const accepted = answers.filter(({ status }) => status === 201).length
      expect(accepted).toBe(deleted?.status === 204 ? 0 : 5)
      expect([204, 409]).toContain(deleted?.status)
      const left = await rows<{ status: string }>(it.sql`
        select status from access_requests where template_name = ${String(template['name'])}`)
      expect(left).toHaveLength(accepted)
    }
    const orphans = await rows(it.sql`
      select id from access_requests where template_id is null and status in ('pending', 'approved')`)
    expect(orphans).toEqual([])
  })

  test('can be edited, which changes no open request', async () => {
    const [dba, managers] = [await groupId('dba-team'), await groupId('engineering-managers')]
    const task = await addTask(`export const run = () => { throw new Error('blocked') }`)
    const template = await it.template({
      approver_group_ids: [dba],
      trigger_task_id: null,
      custom_fields: [{ label: 'Old question', type: 'text' }],
      escalation_after_mins: null,
      escalation_group_id: null,
    })
    const [field] = template['custom_fields'] as { id: string }[]
    const asked = { custom_answers: { [field?.id ?? '']: 'Old answer' } }
    const request = await submit(alice, template.id, asked)
    const { timeline: _before, ...asSubmitted } = await getRequest(alice, request.id)
    expect(asSubmitted).toMatchObject(request)
    const { status } = await replace(template.id, {
      ...inputOf(template),
      name: fresh('renamed'),
      mapping_ids: [],
      allowed_durations: [5],
      approver_group_ids: [managers],
      trigger_task_id: task,
      trigger_task_failure_mode: 'block',
      custom_fields: [{ label: 'New question', type: 'checkbox', required: true }],
      escalation_after_mins: 1,
      escalation_group_id: managers,
    })
    expect(status).toBe(200)
    const { timeline: _after, ...kept } = await getRequest(alice, request.id)
    expect(kept).toEqual(asSubmitted)
    expectRefusal(await close(carol, request.id, 'approve'), 404, 'not_found')
    const approved = await bob.call<AccessRequest>('POST', `/access-requests/${request.id}/approve`)
    expect(approved.body).toMatchObject({
      status: 'approved',
      template_name: template['name'],
      requested_duration_mins: 60,
      custom_answers: asked.custom_answers,
      mappings: request.mappings,
    })
    const events = await rows<{ name: string }>(it.sql`
      select payload ->> 'template_name' as name from outbox_events where request_id = ${request.id}`)
    expect(new Set(events.map(({ name }) => name))).toEqual(new Set([template['name']]))
    expect(await rows(it.sql`select id from script_runs where request_id = ${request.id}`)).toEqual([])
  })

  test('asks the next one by its new terms', async () => {
    const template = await it.template({ trigger_task_id: null })
    await submit(alice, template.id)
    await replace(template.id, { ...inputOf(template), allowed_durations: [5] })
    const ask = (requested_duration_mins: number) =>
      carol.call('POST', '/access-requests', {
        template_id: template.id,
        requested_duration_mins,
        justification: 'x',
      })
    expectRefusal(await ask(60), 422, 'duration_not_allowed')
    expect((await ask(5)).status).toBe(201)
  })

  test('uses the latest version of its script, and that is live', async () => {
    const task = await addTask(`export const run = () => 'one'`)
    const template = await it.template({ trigger_task_id: task })
    await admin.call('PUT', `/scheduled-tasks/${task}`, {
      name: fresh('task'),
      script: `export const run = () => 'two'`,
    })
    const request = await submit(alice, template.id)
    const run = await eventually('the run', async () => {
      const [found] = await rows<{ result: string; version: number }>(it.sql`
        select result, version from script_runs where request_id = ${request.id} and status = 'succeeded'`)
      return found
    })
    expect(run).toEqual({ result: 'two', version: 2 })
  })
})

describe('what a template refers to', () => {
  test('cannot be deleted while the template is there', async () => {
    const { id: group } = (await admin.call<{ id: string }>('POST', '/groups', { name: fresh('g') })).body
    const task = await addTask()
    const template = await created({ approver_group_ids: [group], trigger_task_id: task })
    expectRefusal(await admin.call('DELETE', `/groups/${group}`), 409, 'in_use')
    expectRefusal(await admin.call('DELETE', `/scheduled-tasks/${task}`), 409, 'in_use')
    expectRefusal(await admin.call('DELETE', `/applications/${app_id}`), 409, 'in_use')
    expect((await remove(template.id)).status).toBe(204)
    expect((await admin.call('DELETE', `/groups/${group}`)).status).toBe(204)
    expect((await admin.call('DELETE', `/scheduled-tasks/${task}`)).status).toBe(204)
  })

  test('deleted while a template that names it is saved: one of the two, never a dangling name', async () => {
    for (let round = 0; round < 6; round++) {
      const { id: group } = (await admin.call<{ id: string }>('POST', '/groups', { name: fresh('g') })).body
      const task = await addTask()
      const [saved, ...deleted] = await Promise.all([
        create(input({ approver_group_ids: [group], trigger_task_id: task })),
        admin.call('DELETE', `/groups/${group}`),
        admin.call('DELETE', `/scheduled-tasks/${task}`),
      ])
      if (saved.status === 201) expect(deleted.map(({ status }) => status)).toEqual([409, 409])
      else expect([saved.status, deleted.some(({ status }) => status === 204)]).toEqual([422, true])
    }
  })
})

test('every save and deletion is in the audit log, once, with what was saved', async () => {
  const { id } = await created()
  await replace(id, input({ name: fresh('second') }))
  await remove(id)
  const events = await rows<{ kind: string; actor_email: string }>(it.sql`
    select kind, actor_email from audit_events where object_id = ${id} order by seq`)
  expect(events.map(({ kind }) => kind)).toEqual(['template.created', 'template.updated', 'template.deleted'])
  expect(new Set(events.map(({ actor_email }) => actor_email))).toEqual(new Set(['admin@example.com']))
})
