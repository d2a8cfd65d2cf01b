import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { findCaller } from '../../../db/directory/caller.ts'
import type { Application, AppMapping, Group, Identity, Permission } from '../../../domain/directory.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import {
  addAdmin,
  addApplication,
  addGrant,
  addGroup,
  addGroupMapping,
  addMapping,
  addMember,
  addPerson,
  addServiceAccount,
  addTemplate,
  fresh,
} from '../../setup/people.ts'

vi.setConfig({ testTimeout: 60_000 })

let database: TestDatabase
let api: TestApi
let admin: Identity
let admins: Group
let owners: Group
let app: Application
let dbAdmin: AppMapping

/** Holds these permissions through a group of their own, and nothing else. */
async function addHolder(...permissions: Permission[]): Promise<Identity> {
  const person = await addPerson(database.sql)
  await addGroup(database.sql, [person], { permissions })
  return person
}

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql)
  admin = await addPerson(database.sql)
  admins = await addGroup(database.sql, [admin], { permissions: ['access_requests.manage'] })
  owners = await addGroup(database.sql)
  app = await addApplication(database.sql, { owner_group_id: owners.id })
  dbAdmin = await addMapping(database.sql, app, { value: 'db-admin' })
})
afterAll(() => database.drop())

const call = (as: Identity, method: string, path: string, body?: object, headers = {}) =>
  api.call<{ id: string; detail: string }>(method, path, { as: as.id, body, headers })
const member = (group: { id: string }, who: { id: string }) => `/groups/${group.id}/members/${who.id}`
const link = (group: { id: string }, mapping: { id: string }) => `/groups/${group.id}/mappings/${mapping.id}`

async function expectMissing(answer: Promise<Awaited<ReturnType<typeof call>>>, what: string) {
  expectRefusal(await answer, 403, 'forbidden')
  expect((await answer).body.detail).toContain(what)
}

const nhi = (owner: Identity) => ({
  email: fresh('bot'),
  display_name: 'Bot',
  kind: 'service_account',
  purpose: 'Runs the builds',
  privilege_class: 'low',
  owner_id: owner.id,
})

type Row = [permission: Permission, method: string, path: () => string, body?: () => object]
const routes: Row[] = [
  ['directory.manage', 'POST', () => '/groups', () => ({ name: fresh('g') })],
  ['applications.manage', 'POST', () => '/applications', () => ({ name: fresh('a'), slug: fresh('a') })],
  [
    'applications.manage',
    'POST',
    () => `/applications/${app.id}/mappings`,
    () => ({ name: fresh('m'), claim: 'roles', value: 'x' }),
  ],
  [
    'templates.manage',
    'POST',
    () => '/access-request-templates',
    () => ({ name: fresh('t'), app_id: app.id }),
  ],
  ['scripts.manage', 'GET', () => '/secrets'],
  ['scripts.manage', 'GET', () => '/scheduled-tasks'],
  ['audit.read', 'GET', () => '/access-requests/all'],
]

test.each(routes)(
  '%s is what %s of its resource takes; without it that is refused',
  async (permission, method, path, body) => {
    const others = (
      ['directory.manage', 'applications.manage', 'templates.manage', 'scripts.manage', 'audit.read'] as const
    ).filter((other) => other !== permission)
    const all = [await addHolder(permission), await addHolder('access_requests.manage')]
    for (const holder of all) expect((await call(holder, method, path(), body?.())).status).toBeLessThan(300)
    await expectMissing(call(await addHolder(...others), method, path(), body?.()), permission)
  },
)

test('Whoever manages the directory alone cannot make an admin of anybody', async () => {
  const eve = await addHolder('directory.manage')
  const friend = await addPerson(database.sql)
  const manage = { permissions: ['access_requests.manage'] }
  const mine = await addGroup(database.sql, [eve])
  const missing = 'permission access_requests.manage'
  await expectMissing(call(eve, 'PUT', member(admins, eve)), missing)
  await expectMissing(
    call(eve, 'PUT', member(admins, friend), { expires_at: '2099-01-01T00:00:00Z' }),
    missing,
  )
  await expectMissing(call(eve, 'PUT', `/groups/${mine.id}`, { name: mine.name, ...manage }), missing)
  await expectMissing(
    call(eve, 'PUT', `/groups/${mine.id}`, { name: mine.name, ...manage }, { 'if-match': '*' }),
    missing,
  )
  await expectMissing(
    call(eve, 'PUT', `/groups/${mine.id}`, { name: mine.name, ...manage }, { 'if-match': '"1"' }),
    missing,
  )
  await expectMissing(call(eve, 'POST', '/groups', { name: fresh('g'), ...manage }), missing)
  await expectMissing(
    call(eve, 'POST', '/groups', { name: fresh('g'), permissions: ['audit.read'] }),
    'permission audit.read',
  )
  expect((await findCaller(database.sql, eve.id))?.permissions).toEqual(['directory.manage'])
})

test('What one does hold for good one hands on; for a time, one does not', async () => {
  const eve = await addHolder('directory.manage', 'audit.read')
  const input = { name: fresh('g'), permissions: ['audit.read', 'directory.manage'] }
  const { body: group } = await call(eve, 'POST', '/groups', input)
  expect((await call(eve, 'PUT', member(group, await addPerson(database.sql)))).status).toBe(204)
  const passing = await addHolder('directory.manage')
  await addMember(
    database.sql,
    await addGroup(database.sql, [], { permissions: ['audit.read'] }),
    passing,
    '2099-01-01T00:00:00Z',
  )
  expect((await call(passing, 'GET', '/access-requests/all')).status).toBe(200)
  await expectMissing(call(passing, 'PUT', member(group, passing)), 'permission audit.read')
})

test('Taking away needs no right to grant: members, permissions, groups', async () => {
  const eve = await addHolder('directory.manage')
  const leaver = await addPerson(database.sql)
  const group = await addGroup(database.sql, [leaver], {
    permissions: ['audit.read', 'access_requests.manage'],
  })
  expect((await call(eve, 'DELETE', member(group, leaver))).status).toBe(204)
  const { body } = await call(eve, 'PUT', `/groups/${group.id}`, {
    name: group.name,
    permissions: ['audit.read'],
  })
  expect(body).toMatchObject({ permissions: ['audit.read'] })
  expect((await call(eve, 'DELETE', `/groups/${group.id}`)).status).toBe(204)
})

test('Nobody comes to speak for an identity that holds more: owner, delegate, address, kind, life', async () => {
  const eve = await addHolder('directory.manage')
  const robot = await addServiceAccount(database.sql, admin.id)
  await addMember(database.sql, admins, robot)
  const gone = await addPerson(database.sql, { status: 'disabled' })
  const ending = await addPerson(database.sql, { expires_at: '2099-01-01T00:00:00Z' })
  for (const each of [gone, ending]) await addMember(database.sql, admins, each)
  const missing = 'permission access_requests.manage'
  const patch = (who: Identity, body: object) => call(eve, 'PATCH', `/identities/${who.id}`, body)
  await expectMissing(patch(robot, { owner_id: eve.id }), missing)
  await expectMissing(patch(robot, { delegate_ids: [eve.id] }), missing)
  await expectMissing(patch(admin, { email: `${fresh('eve')}@example.com` }), missing)
  await expectMissing(patch(ending, { kind: 'agent', owner_id: eve.id }), missing)
  await expectMissing(patch(gone, { status: 'active' }), missing)
  await expectMissing(patch(ending, { expires_at: null }), missing)
  await expectMissing(patch(ending, { expires_at: '2100-01-01T00:00:00Z' }), missing)
  // Whoever takes over the owner of a machine has the machine.
  const owner = await addPerson(database.sql)
  await addMember(database.sql, admins, await addServiceAccount(database.sql, owner.id))
  await expectMissing(patch(owner, { email: `${fresh('eve')}@example.com` }), missing)
})

test('Who holds more can still be renamed, ended and disabled; who holds nothing can be given away', async () => {
  const eve = await addHolder('directory.manage')
  const more = await addHolder('access_requests.manage')
  const robot = await addServiceAccount(database.sql, admin.id)
  const patch = async (who: Identity, body: object) =>
    (await call(eve, 'PATCH', `/identities/${who.id}`, body)).status
  expect(await patch(more, { display_name: 'More' })).toBe(200)
  expect(await patch(more, { expires_at: '2099-01-01T00:00:00Z' })).toBe(200)
  expect(await patch(more, { status: 'disabled' })).toBe(200)
  expect(await patch(robot, { owner_id: eve.id, delegate_ids: [admin.id] })).toBe(200)
  expect(await patch(eve, { email: `${fresh('eve')}@example.com` })).toBe(200)
  expect((await call(eve, 'POST', '/identities', nhi(eve))).status).toBe(201)
})

test('A machine with a grant is given to nobody who could not grant the same', async () => {
  const eve = await addHolder('directory.manage')
  const robot = await addServiceAccount(database.sql, admin.id)
  const template = await addTemplate(database.sql, { app_id: app.id, mapping_ids: [dbAdmin.id] })
  await addGrant(database.sql, template, admin, { subject_id: robot.id })
  await expectMissing(
    call(eve, 'PATCH', `/identities/${robot.id}`, { owner_id: eve.id }),
    `mapping "${dbAdmin.name}"`,
  )
})

test('Joining takes the right to grant all that the group gives, or lets its members come by', async () => {
  const { sql } = database
  const eve = await addHolder('directory.manage')
  const carrying = await addGroup(sql)
  await addGroupMapping(sql, carrying, dbAdmin)
  const [approving, escalating, asking] = [await addGroup(sql), await addGroup(sql), await addGroup(sql)]
  const offer = { app_id: app.id, mapping_ids: [dbAdmin.id] }
  await addTemplate(sql, {
    ...offer,
    approver_group_ids: [approving.id],
    escalation_after_mins: 5,
    escalation_group_id: escalating.id,
  })
  await addTemplate(sql, { ...offer, allowed_group_ids: [asking.id], auto_approve: true })
  for (const group of [carrying, approving, escalating, asking])
    await expectMissing(call(eve, 'PUT', member(group, eve)), `mapping "${dbAdmin.name}" of ${app.name}`)
  await expectMissing(call(eve, 'PUT', member(owners, eve)), `application "${app.name}"`)
  const waiting = await addGroup(sql)
  await addTemplate(sql, { ...offer, allowed_group_ids: [waiting.id], approver_group_ids: [admins.id] })
  expect((await call(eve, 'PUT', member(waiting, eve))).status).toBe(204)
})

test('A mapping is linked by the owners of its application and by who holds it for good, by nobody else', async () => {
  const { sql } = database
  const eve = await addHolder('applications.manage')
  const group = await addGroup(sql, [eve])
  const missing = `mapping "${dbAdmin.name}" of ${app.name}`
  await expectMissing(call(eve, 'PUT', link(group, dbAdmin)), missing)
  await addGrant(sql, await addTemplate(sql, { app_id: app.id, mapping_ids: [dbAdmin.id] }), eve)
  await expectMissing(call(eve, 'PUT', link(group, dbAdmin)), missing)
  const holding = await addGroup(sql)
  await addGroupMapping(sql, holding, dbAdmin)
  await addMember(sql, holding, eve, '2099-01-01T00:00:00Z')
  await expectMissing(call(eve, 'PUT', link(group, dbAdmin)), missing)
  await addMember(sql, holding, eve, null)
  expect((await call(eve, 'PUT', link(group, dbAdmin))).status).toBe(204)
  const owner = await addHolder('applications.manage')
  await addMember(sql, owners, owner)
  expect((await call(owner, 'PUT', link(await addGroup(sql), dbAdmin))).status).toBe(204)
})

test('Who holds a mapping does not make another one of it, nor takes its application over', async () => {
  const { sql } = database
  const eve = await addHolder('applications.manage')
  const other = await addApplication(sql, { owner_group_id: owners.id })
  const mapping = await addMapping(sql, other, { value: 'reader' })
  await addGroupMapping(sql, await addGroup(sql, [eve]), mapping)
  const { name, claim } = mapping
  const missing = `application "${other.name}"`
  const put = (as: Identity, fields: object) =>
    call(as, 'PUT', `/app-mappings/${mapping.id}`, { name, claim, value: 'reader', ...fields })
  await expectMissing(put(eve, { value: 'db-admin' }), missing)
  await expectMissing(put(eve, { claim: 'groups_of_db' }), missing)
  await expectMissing(put(eve, { privilege_level: 'critical' }), missing)
  expect((await put(eve, { name: fresh('renamed') })).status).toBe(200)
  const mine = await addGroup(sql, [eve])
  const replace = (fields: object) =>
    call(eve, 'PUT', `/applications/${other.id}`, {
      name: other.name,
      slug: other.slug,
      owner_group_id: owners.id,
      ...fields,
    })
  await expectMissing(replace({ owner_group_id: mine.id }), missing)
  await expectMissing(replace({ slug: fresh('other') }), missing)
  await expectMissing(call(eve, 'DELETE', `/applications/${other.id}`), missing)
  expect((await replace({ description: 'The same one.' })).status).toBe(200)
  const owner = await addHolder('applications.manage')
  await addMember(sql, owners, owner)
  expect((await put(owner, { name: fresh('m'), value: 'writer' })).status).toBe(200)
})

test('A template offers only what its maker may grant, and binds a script only by who may write one', async () => {
  const { sql } = database
  const eve = await addHolder('templates.manage')
  const missing = `mapping "${dbAdmin.name}" of ${app.name}`
  const offer = { name: fresh('t'), app_id: app.id, mapping_ids: [dbAdmin.id] }
  await expectMissing(
    call(eve, 'POST', '/access-request-templates', { ...offer, auto_approve: true }),
    missing,
  )
  const template = await addTemplate(sql, { ...offer, approver_group_ids: [admins.id] })
  const put = (as: Identity, body: object) =>
    call(as, 'PUT', `/access-request-templates/${template.id}`, { ...offer, ...body })
  await expectMissing(put(eve, { auto_approve: true }), missing)
  await expectMissing(put(eve, { approver_group_ids: [(await addGroup(sql, [eve])).id] }), missing)
  const bare = await addTemplate(sql, { app_id: app.id })
  const bind = (as: Identity, body: object) =>
    call(as, 'PUT', `/access-request-templates/${bare.id}`, { name: bare.name, app_id: app.id, ...body })
  await expectMissing(bind(eve, { mapping_ids: [dbAdmin.id] }), missing)
  const task = crypto.randomUUID()
  await sql`insert into script_tasks (id, name) values (${task}, ${task})`
  await expectMissing(bind(eve, { trigger_task_id: task }), 'permission scripts.manage')
  expect((await bind(eve, { description: 'No mapping at all.' })).status).toBe(200)
  expect(
    (await bind(await addHolder('templates.manage', 'scripts.manage'), { trigger_task_id: task })).status,
  ).toBe(200)
  expect((await bind(eve, { trigger_task_id: task, description: 'Bound before.' })).status).toBe(200)
  await addMember(sql, owners, eve)
  expect((await put(eve, { auto_approve: true })).status).toBe(200)
})

test('A script that holds approvals back is rewritten only by who may grant what it guards', async () => {
  const { sql } = database
  const scripts = { compile: (code: string) => Promise.resolve({ code }) }
  const withScripts = await createTestApi(sql, { scripts: scripts as never })
  const eve = await addHolder('scripts.manage')
  const input = { name: fresh('task'), script: 'export function run() { return "" }' }
  const write = (as: Identity, method: string, path: string) =>
    withScripts.call<{ id: string; detail: string }>(method, path, { as: as.id, body: input })
  const { body: task } = await write(eve, 'POST', '/scheduled-tasks')
  const save = (as: Identity) => write(as, 'PUT', `/scheduled-tasks/${task.id}`)
  expect((await save(eve)).status).toBe(200)
  await addTemplate(sql, {
    app_id: app.id,
    mapping_ids: [dbAdmin.id],
    trigger_task_id: task.id,
    trigger_task_failure_mode: 'block',
  })
  await expectMissing(save(eve), `mapping "${dbAdmin.name}"`)
  expect((await save(await addAdmin(sql))).status).toBe(200)
})

describe('What a script that holds approvals back is told by a secret is changed only by who may grant what it guards', () => {
  /** A secret, and a script of a template that names it. */
  async function guardedBy(script: (name: string) => string, failure_mode = 'block') {
    const name = `S_${fresh('x').replaceAll('-', '_')}`
    const scripts = { compile: (code: string) => Promise.resolve({ code }) }
    const withScripts = await createTestApi(database.sql, { scripts: scripts as never })
    const input = { name: fresh('task'), script: script(name) }
    const by = await addHolder('scripts.manage')
    const made = await withScripts.call<{ id: string }>('POST', '/scheduled-tasks', {
      as: by.id,
      body: input,
    })
    const put = (as: Identity, to = name) =>
      withScripts.call<{ id: string; detail: string }>('PUT', `/secrets/${to}`, {
        as: as.id,
        body: { value: 'a value', hosts: ['tickets.example.com'] },
      })
    expect((await put(by)).status).toBe(200)
    await addTemplate(database.sql, {
      app_id: app.id,
      mapping_ids: [dbAdmin.id],
      trigger_task_id: made.body.id,
      trigger_task_failure_mode: failure_mode,
    })
    const remove = (as: Identity) => withScripts.call('DELETE', `/secrets/${name}`, { as: as.id })
    return { name, by, put, remove }
  }
  const reads = (name: string) => `export const run = () => http.get(secrets.get('${name}'))`

  test('whether it is replaced, or made anew', async () => {
    const { by, put, remove } = await guardedBy(reads)
    await expectMissing(put(by), `mapping "${dbAdmin.name}"`)
    const admin = await addAdmin(database.sql)
    expect((await put(admin)).status).toBe(200)
    expect((await remove(by)).status).toBe(204)
    await expectMissing(put(by), `mapping "${dbAdmin.name}"`)
    expect((await put(admin)).status).toBe(200)
  })

  test('and by everybody who manages scripts where it guards nothing, or is another one', async () => {
    const beside = await guardedBy(reads, 'ignore')
    expect((await beside.put(beside.by)).status).toBe(200)
    const { name, by, put } = await guardedBy(reads)
    expect((await put(by, `${name}_2`)).status).toBe(200)
    expect((await put(by, name.slice(0, -1))).status).toBe(200)
  })
})
