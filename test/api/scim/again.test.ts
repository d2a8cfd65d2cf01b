import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { getRow, rows } from '../../../db/client.ts'
import { findIdentity } from '../../../db/directory/identities.ts'
import { addGroup, addMember, eventsOf, fresh } from '../../setup/people.ts'
import { startTestProduct } from '../../setup/product.ts'
import type { Caller, TestProduct } from '../../setup/product.ts'
import { addProvider, operations } from './provider.ts'
import type { Provider, ScimBody } from './provider.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

let product: TestProduct
let provider: Provider
let admin: Caller

beforeAll(async () => {
  product = await startTestProduct({ without_worker: true })
  provider = await addProvider(product)
  admin = await product.as('admin')
})
afterAll(() => product.close())

const user = (id: string) => `/Users/${id}`
const active = (value: boolean) => operations({ op: 'replace', path: 'active', value })
const create = (userName: string, externalId?: string) =>
  provider.call('POST', '/Users', {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName,
    active: true,
    ...(externalId !== undefined && { externalId }),
  })
const remove = async ({ id }: ScimBody) => expect((await provider.call('DELETE', user(id))).status).toBe(204)
const patchByHand = async ({ id }: { id: string }, body: object) =>
  expect((await admin.call('PATCH', `/identities/${id}`, body)).status).toBe(200)
const statusOf = async ({ id }: { id: string }) => (await findIdentity(product.sql, id))?.resource.status
const kindsOf = async ({ id }: { id: string }) => (await eventsOf(product.sql, id)).map(({ kind }) => kind)

describe('The address of a user whom the provider has deleted', () => {
  test.each([
    ['under the same externalId', 'a', 'a'],
    ['that says no externalId', 'a', undefined],
    ['of one that had none', undefined, 'b'],
  ])('is theirs again when they are made again, %s', async (_, before, after) => {
    const made = await provider.addUser(before === undefined ? {} : { externalId: before })
    await remove(made)
    const again = await create(made.userName.toUpperCase(), after)
    expect([again.status, again.body.id]).toEqual([201, made.id])
    expect(await statusOf(made)).toBe('active')
  })

  test('is free for somebody else whom the provider calls by another externalId: they get nothing of before', async () => {
    const made = await provider.addUser({ externalId: fresh('old') })
    await addMember(product.sql, await addGroup(product.sql), made)
    await remove(made)
    const again = await create(made.userName, fresh('new'))
    expect(again.status).toBe(201)
    expect(again.body.id).not.toBe(made.id)
    expect(await rows(product.sql`select from memberships where identity_id = ${again.body.id}`)).toEqual([])
    expect((await findIdentity(product.sql, made.id))?.resource).toMatchObject({
      email: `${made.id}@deleted.invalid`,
      status: 'disabled',
    })
    const [released] = (await eventsOf(product.sql, made.id)).slice(-1)
    expect(released).toMatchObject({ kind: 'identity.updated', detail: { before: { email: made.userName } } })
  })

  test.each(['PUT', 'PATCH'])('can be given to another user, by %s', async (method) => {
    const [made, other] = [await provider.addUser(), await provider.addUser()]
    await remove(made)
    const body =
      method === 'PUT'
        ? { schemas: other.schemas, userName: made.userName, active: true }
        : operations({ op: 'replace', path: 'userName', value: made.userName })
    const answer = await provider.call(method, user(other.id), body)
    expect([answer.status, answer.body.userName]).toEqual([200, made.userName])
  })

  test('is nobody else’s where an admin has enabled them since, nor while they are there', async () => {
    const [made, other] = [await provider.addUser({ externalId: 'x' }), await provider.addUser()]
    const rename = operations({ op: 'replace', path: 'userName', value: made.userName })
    expect((await provider.call('PATCH', user(other.id), rename)).status).toBe(409)
    await remove(made)
    await patchByHand(made, { status: 'active' })
    expect((await provider.call('PATCH', user(other.id), rename)).status).toBe(409)
    expect((await create(made.userName, 'y')).status).toBe(409)
    expect((await findIdentity(product.sql, made.id))?.resource.email).toBe(made.userName)
  })

  test('leads whoever signs in by it to the person made again, and their earlier account nowhere', async () => {
    const made = await provider.addUser()
    const input = {
      name: fresh('login'),
      issuer: 'https://login.example.com',
      client_id: 'x',
      client_secret: 'x',
    }
    const { body: login } = await admin.call<{ id: string }>('POST', '/sign-in-providers', {
      ...input,
      group_mappings: [],
      allowed_email_domains: ['example.com'],
      create_identities: false,
    })
    await product.sql`insert into sign_in_subjects (provider_id, subject, identity_id)
      values (${login.id}, 'before', ${made.id})`
    await remove(made)
    await create(made.userName)
    expect(await rows(product.sql`select from sign_in_subjects where identity_id = ${made.id}`)).toEqual([])
    expect(await eventsOf(product.sql, made.id)).toContainEqual(
      expect.objectContaining({
        kind: 'identity.sign_in_unlinked',
        detail: { sign_in_provider_id: login.id, subject: 'before' },
      }),
    )
  })
})

describe('Whom an admin has disabled by hand', () => {
  const refused = async (answer: ReturnType<Provider['call']>) => {
    const { status, body } = await answer
    expect([status, body.detail]).toEqual([403, expect.stringContaining('by hand')])
  }

  test('no provider enables, in whichever way; each attempt is told, and on record', async () => {
    const made = await provider.addUser()
    await patchByHand(made, { status: 'disabled' })
    const put = { schemas: made.schemas, userName: made.userName, displayName: 'Other' }
    await refused(provider.call('PATCH', user(made.id), active(true)))
    await refused(provider.call('PUT', user(made.id), { ...put, active: true }))
    expect((await provider.call('GET', user(made.id))).body).toMatchObject({ active: false })
    await remove(made)
    await refused(create(made.userName))
    await refused(create(made.userName, 'another'))
    expect(await statusOf(made)).toBe('disabled')
    const events = await eventsOf(product.sql, made.id)
    const told = events.filter(({ kind }) => kind === 'identity.enabling_refused')
    expect(told).toHaveLength(4)
    const { actor_email } = await getRow<{ actor_email: string }>(product.sql`
      select actor_email from audit_events where object_id = ${made.id} and kind = 'identity.enabling_refused' limit 1`)
    expect(actor_email).toMatch(/^scim:/)
  })

  test('a provider that may manage privileged groups enables as little', async () => {
    const made = await provider.addUser()
    await patchByHand(made, { status: 'disabled' })
    const trusted = await addProvider(product, { may_manage_privileged_groups: true })
    await refused(trusted.call('PATCH', user(made.id), active(true)))
  })

  test('stays so where the provider had disabled them before: that is on record by itself', async () => {
    const made = await provider.addUser()
    await provider.call('PATCH', user(made.id), active(false))
    await patchByHand(made, { status: 'disabled' })
    await patchByHand(made, { status: 'disabled' })
    expect((await kindsOf(made)).filter((kind) => kind === 'identity.disabled_by_hand')).toHaveLength(1)
    await refused(provider.call('PATCH', user(made.id), active(true)))
  })

  test('the provider may still rename, and disable', async () => {
    const made = await provider.addUser()
    await patchByHand(made, { status: 'disabled' })
    const rename = operations({ op: 'replace', path: 'displayName', value: 'Other' })
    const { status, body } = await provider.call('PATCH', user(made.id), rename)
    expect([status, body.displayName, body.active]).toEqual([200, 'Other', false])
    expect((await provider.call('PATCH', user(made.id), active(false))).status).toBe(200)
    await refused(provider.call('PATCH', user(made.id), active(true)))
  })

  test('an admin enables again, and from then on the provider does too', async () => {
    const made = await provider.addUser()
    await patchByHand(made, { status: 'disabled' })
    await patchByHand(made, { status: 'active' })
    await provider.call('PATCH', user(made.id), active(false))
    expect((await provider.call('PATCH', user(made.id), active(true))).body.active).toBe(true)
    expect(await statusOf(made)).toBe('active')
  })

  test('nobody else is: whom the provider disabled the provider enables', async () => {
    const made = await provider.addUser()
    await provider.call('PATCH', user(made.id), active(false))
    expect((await provider.call('PATCH', user(made.id), active(true))).status).toBe(200)
    expect(await kindsOf(made)).not.toContain('identity.enabling_refused')
  })
})
