import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { getRow, rows } from '../../../db/client.ts'
import { findCaller } from '../../../db/directory/caller.ts'
import {
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
import { startTestProduct } from '../../setup/product.ts'
import type { TestProduct } from '../../setup/product.ts'
import { addProvider, operations } from './provider.ts'
import type { Provider, ScimAnswer, ScimBody } from './provider.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

let product: TestProduct
let provider: Provider

beforeAll(async () => {
  product = await startTestProduct({ without_worker: true })
  provider = await addProvider(product)
})
afterAll(() => product.close())

const group = (id: string) => `/Groups/${id}`
const patch = (id: string, ...ops: object[]) => provider.call('PATCH', group(id), operations(...ops))
const membersOf = async (id: string) =>
  ((await provider.call('GET', group(id))).body.members ?? []).map(({ value }) => value).sort()
const idsOf = (...members: ScimBody[]) => members.map(({ id }) => id).sort()

function expectScimError({ status, body }: ScimAnswer, expected: number, scimType?: string) {
  expect(body).toMatchObject({ status: String(expected), ...(scimType !== undefined && { scimType }) })
  expect(status).toBe(expected)
}

describe('A group', () => {
  test('is made with its members, and found as providers look for it', async () => {
    const [ann, bob] = [await provider.addUser(), await provider.addUser()]
    const made = await provider.addGroup([ann, bob], { externalId: fresh('x') })
    expect(made.meta.location).toMatch(new RegExp(`/scim/v2/Groups/${made.id}$`))
    const find = async (filter: string, query = '') =>
      (await provider.call('GET', `/Groups?filter=${encodeURIComponent(filter)}${query}`)).body
    expect(await find(`displayName eq "${made.displayName}"`)).toMatchObject({ totalResults: 1 })
    expect(await find(`externalId eq "${made.externalId}"`)).toMatchObject({ totalResults: 1 })
    // As Entra asks whether somebody is a member.
    expect(await find(`id eq "${made.id}" and members eq "${ann.id}"`)).toMatchObject({ totalResults: 1 })
    expect(await find(`id eq "${made.id}" and members eq "${made.id}"`)).toMatchObject({ totalResults: 0 })
    expect(await find(`members[value eq "${bob.id}"]`)).toMatchObject({ totalResults: 1 })
    const [without] = (await find(`id eq "${made.id}"`, '&excludedAttributes=members')).Resources
    expect(without).not.toHaveProperty('members')
    const { kind } = await getRow<{ kind: string }>(
      product.sql`select kind from groups where id = ${made.id}`,
    )
    expect(kind).toBe('standing')
  })

  test('changes its members as Entra asks', async () => {
    const people = [await provider.addUser(), await provider.addUser(), await provider.addUser()] as const
    const [ann, bob, carol] = people
    const { id } = await provider.addGroup([ann])
    expect(
      (await patch(id, { op: 'Add', path: 'members', value: [{ value: bob.id }, { value: carol.id }] }))
        .status,
    ).toBe(204)
    expect(await membersOf(id)).toEqual(idsOf(...people))
    await patch(id, { op: 'Add', path: 'members', value: [{ value: bob.id }] })
    expect(await membersOf(id)).toEqual(idsOf(...people))
    await patch(id, { op: 'Remove', path: `members[value eq "${ann.id}"]` })
    await patch(id, { op: 'Remove', path: 'members', value: [{ value: bob.id }] })
    expect(await membersOf(id)).toEqual(idsOf(carol))
    const renamed = fresh('renamed')
    expect((await patch(id, { op: 'Replace', path: 'displayName', value: renamed })).status).toBe(204)
    await patch(id, { op: 'Replace', path: 'externalId', value: 'e-1' })
    expect((await provider.call('GET', group(id))).body).toMatchObject({
      displayName: renamed,
      externalId: 'e-1',
    })
  })

  test('changes its members as Okta asks', async () => {
    const [ann, bob] = [await provider.addUser(), await provider.addUser()]
    const { id, displayName } = await provider.addGroup([ann])
    await patch(id, { op: 'replace', path: 'members', value: [{ value: bob.id, display: bob.userName }] })
    expect(await membersOf(id)).toEqual(idsOf(bob))
    const renamed = fresh('renamed')
    expect((await patch(id, { op: 'replace', value: { id, displayName: renamed } })).status).toBe(204)
    expect((await provider.call('GET', group(id))).body.displayName).toBe(renamed)
    expect(await membersOf(id)).toEqual(idsOf(bob))
    await patch(
      id,
      { op: 'remove', path: `members[value eq "${bob.id}"]` },
      { op: 'add', path: 'members', value: [{ value: ann.id }] },
    )
    expect(await membersOf(id)).toEqual(idsOf(ann))
    const put = {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      id,
      displayName,
      members: [{ value: bob.id }],
    }
    expect((await provider.call('PUT', group(id), put)).body.displayName).toBe(displayName)
    expect(await membersOf(id)).toEqual(idsOf(bob))
  })

  test('takes all of a change or none of it', async () => {
    const [ann, bob] = [await provider.addUser(), await provider.addUser()]
    const { id } = await provider.addGroup([ann])
    const bot = await addServiceAccount(product.sql, (await product.as('alice')).id)
    for (const value of [bot.id, crypto.randomUUID(), 'nobody'])
      expectScimError(
        await patch(id, { op: 'add', path: 'members', value: [{ value: bob.id }, { value }] }),
        400,
        'invalidValue',
      )
    const nested = { value: id, type: 'Group' }
    expectScimError(await patch(id, { op: 'add', path: 'members', value: [nested] }), 400, 'invalidValue')
    expect(await membersOf(id)).toEqual(idsOf(ann))
  })

  test('keeps its machines, and those who are members for a time', async () => {
    const { sql } = product
    const ann = await provider.addUser()
    const { id } = await provider.addGroup([])
    const bot = await addServiceAccount(sql, (await product.as('alice')).id)
    await addMember(sql, { id }, bot)
    await addMember(sql, { id }, ann, '2099-01-01T00:00:00Z')
    await patch(id, { op: 'replace', path: 'members', value: [{ value: ann.id }] })
    const { expires_at } = await getRow<{ expires_at: string | null }>(
      sql`select expires_at from memberships where group_id = ${id} and identity_id = ${ann.id}`,
    )
    expect(expires_at).toBe('2099-01-01T00:00:00.000Z')
    await patch(id, { op: 'remove', path: 'members' })
    expect(await membersOf(id)).toEqual([])
    expect(await getRow(sql`select count(*)::int as left from memberships where group_id = ${id}`)).toEqual({
      left: 1,
    })
  })

  test('as Entra makes it is renamed, but not to the name of another; deleted, it is made anew', async () => {
    const entra = {
      schemas: [
        'urn:ietf:params:scim:schemas:core:2.0:Group',
        'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group',
      ],
      externalId: fresh('8aa1a0c0'),
      displayName: fresh('entra'),
      meta: { resourceType: 'Group' },
    }
    const made = await provider.call('POST', '/Groups', entra)
    expect([made.status, made.body.members]).toEqual([201, []])
    const { id } = made.body
    const other = await provider.addGroup([])
    const taken = { op: 'Replace', path: 'displayName', value: other.displayName.toUpperCase() }
    expectScimError(await patch(id, taken), 409, 'uniqueness')
    const upper = entra.displayName.toUpperCase()
    expect((await patch(id, { op: 'Replace', path: 'DISPLAYNAME', value: upper })).status).toBe(204)
    expect((await provider.call('GET', `${group(id)}?excludedAttributes=members`)).body.displayName).toBe(
      upper,
    )
    expect((await provider.call('DELETE', group(id))).status).toBe(204)
    const again = await provider.call('POST', '/Groups', entra)
    expect([again.status, again.body.id === id]).toEqual([201, false])
  })

  test('that a provider did not make and no admin linked is none of its', async () => {
    const known = await addGroup(product.sql)
    expectScimError(await provider.call('GET', group(known.id)), 404)
    expectScimError(await patch(known.id, { op: 'replace', path: 'displayName', value: 'mine' }), 404)
    expectScimError(await provider.call('DELETE', group(known.id)), 404)
    const body = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: known.name }
    expectScimError(await provider.call('POST', '/Groups', body), 409, 'uniqueness')
    const reserved = { ...body, displayName: `__access_req_${crypto.randomUUID()}` }
    expectScimError(await provider.call('POST', '/Groups', reserved), 400, 'invalidValue')
  })

  test('that an admin links is filled by the provider, and only emptied when that deletes it', async () => {
    const admin = await product.as('admin')
    const ann = await provider.addUser()
    const known = await addGroup(product.sql, [await addPerson(product.sql)])
    expect((await (await product.as('alice')).call('PUT', `/scim-groups/${known.id}`)).status).toBe(403)
    expect((await admin.call('PUT', `/scim-groups/${known.id}`)).status).toBe(204)
    await patch(known.id, { op: 'replace', path: 'members', value: [{ value: ann.id }] })
    expect(await membersOf(known.id)).toEqual([ann.id])
    expect((await provider.call('DELETE', group(known.id))).status).toBe(204)
    expectScimError(await provider.call('GET', group(known.id)), 404)
    const { body } = await admin.call<{ data: unknown[] }>('GET', `/groups/${known.id}/members`)
    expect(body.data).toEqual([])
    await admin.call('PUT', `/scim-groups/${known.id}`)
    expect((await admin.call('DELETE', `/scim-groups/${known.id}`)).status).toBe(204)
    expect((await admin.call('DELETE', `/scim-groups/${known.id}`)).status).toBe(404)
  })

  test('that a request gave is linked by nobody', async () => {
    const { sql } = product
    const alice = await product.as('alice')
    const { group_id } = await addGrant(sql, await addTemplate(sql), alice)
    const { status, body } = await (await product.as('admin')).call('PUT', `/scim-groups/${group_id}`)
    expect([status, body['code']]).toEqual([409, 'temporary_group'])
  })

  test('that is made is deleted, unless something refers to it', async () => {
    const made = await provider.addGroup([await provider.addUser()])
    await addTemplate(product.sql, { approver_group_ids: [made.id] })
    expectScimError(await provider.call('DELETE', group(made.id)), 409)
    const other = await provider.addGroup([])
    expect((await provider.call('DELETE', group(other.id))).status).toBe(204)
    expectScimError(await provider.call('GET', group(other.id)), 404)
  })
})

describe('A group that gives privileges', () => {
  const addPrivileged = async (fields: object) => {
    const privileged = await addGroup(product.sql, [await addPerson(product.sql)], { ...fields })
    await (await product.as('admin')).call('PUT', `/scim-groups/${privileged.id}`)
    return privileged
  }

  const addPrivilegedOf = async (id: string, permissions: string[]): Promise<string> => {
    const made = await addGroup(product.sql, [{ id }], { permissions })
    await (await product.as('admin')).call('PUT', `/scim-groups/${made.id}`)
    return made.id
  }

  test('is neither filled nor emptied, renamed nor deleted by a provider that was not told that it may', async () => {
    const eve = await provider.addUser()
    const { id, name } = await addPrivileged({ permissions: ['access_requests.manage'] })
    const members = await membersOf(id)
    const put = {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      displayName: name,
      members: [{ value: eve.id }],
    }
    expectScimError(await patch(id, { op: 'add', path: 'members', value: [{ value: eve.id }] }), 403)
    expectScimError(await patch(id, { op: 'remove', path: 'members' }), 403)
    expectScimError(await patch(id, { op: 'replace', path: 'displayName', value: fresh('g') }), 403)
    expectScimError(await provider.call('PUT', group(id), put), 403)
    expectScimError(await provider.call('DELETE', group(id)), 403)
    expect(await membersOf(id)).toEqual(members)
    expect((await findCaller(product.sql, eve.id))?.permissions).toEqual([])
  })

  test('is one that owns an application, too', async () => {
    const eve = await provider.addUser()
    const owners = await addPrivileged({})
    await addApplication(product.sql, { owner_group_id: owners.id })
    expectScimError(await patch(owners.id, { op: 'add', path: 'members', value: [{ value: eve.id }] }), 403)
  })

  test('becomes one while the provider fills it, and is closed to it from then on', async () => {
    const [ann, eve] = [await provider.addUser(), await provider.addUser()]
    const made = await provider.addGroup([ann])
    const admin = await product.as('admin')
    await admin.call('PUT', `/groups/${made.id}`, { name: made.displayName, permissions: ['audit.read'] })
    expectScimError(await patch(made.id, { op: 'add', path: 'members', value: [{ value: eve.id }] }), 403)
  })

  test('is filled by a provider that an admin allowed to', async () => {
    const trusted = await addProvider(product, { may_manage_privileged_groups: true })
    const eve = await provider.addUser()
    const { id } = await addPrivileged({ permissions: ['audit.read'] })
    const add = operations({ op: 'add', path: 'members', value: [{ value: eve.id }] })
    expect((await trusted.call('PATCH', group(id), add)).status).toBe(204)
    expect((await findCaller(product.sql, eve.id))?.permissions).toEqual(['audit.read'])
  })

  test('is not one that only carries entitlements: giving these is what providers are for', async () => {
    const { sql } = product
    const ann = await provider.addUser()
    const made = await provider.addGroup([])
    await addGroupMapping(sql, made, await addMapping(sql, await addApplication(sql)))
    expect((await patch(made.id, { op: 'add', path: 'members', value: [{ value: ann.id }] })).status).toBe(
      204,
    )
  })

  test('is given none by what is said of it', async () => {
    const ann = await provider.addUser({
      roles: [{ value: 'admin' }],
      permissions: ['access_requests.manage'],
    })
    const said = { permissions: ['access_requests.manage'], kind: 'temporary', id: crypto.randomUUID() }
    const made = await provider.addGroup([ann], said)
    expect(made.id).not.toBe(said.id)
    await provider.call('PUT', group(made.id), {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      displayName: made.displayName,
      members: [{ value: ann.id }],
      ...said,
    })
    expectScimError(await patch(made.id, { op: 'add', path: 'permissions', value: ['audit.read'] }), 400)
    expectScimError(await patch(made.id, { op: 'add', value: { permissions: ['audit.read'] } }), 400)
    await patch(made.id, { op: 'replace', path: 'id', value: said.id })
    expect((await findCaller(product.sql, ann.id))?.permissions).toEqual([])
    expect(await membersOf(made.id)).toEqual([ann.id])
  })

  test('keeps an admin, however many providers empty it at the same time', async () => {
    const { sql } = product
    const trusted = await addProvider(product, { may_manage_privileged_groups: true })
    const [ann, bob] = [await provider.addUser(), await provider.addUser()]
    const admins = await Promise.all(
      [ann, bob].map((admin) => addPrivilegedOf(admin.id, ['access_requests.manage'])),
    )
    const known = await rows<{ group_id: string; identity_id: string }>(sql`
      delete from memberships where group_id <> all (${admins}) and group_id in (
        select id from groups where 'access_requests.manage' = any (permissions))
      returning group_id, identity_id`)
    const remove = { op: 'remove', path: 'members' }
    const answers = await Promise.all(
      admins.map((id) => trusted.call('PATCH', group(id), operations(remove))),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204, 409]))
    await sql`insert into memberships ${sql(known)}`
  })
})
