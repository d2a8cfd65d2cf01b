import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { randomBytes } from 'node:crypto'

import { createSealer } from '../../../db/sealing.ts'
import { findEnabledProvider, resealProviders } from '../../../db/sign-in/providers.ts'
import type { Identity } from '../../../domain/directory.ts'
import type { SignInProvider } from '../../../domain/sign-in-provider.ts'
import { createTestApi, expectRefusal } from '../../setup/api.ts'
import type { TestApi } from '../../setup/api.ts'
import { createTestDatabase } from '../../setup/database.ts'
import type { TestDatabase } from '../../setup/database.ts'
import { addAdmin, addGroup, addPerson, eventsOf, fresh } from '../../setup/people.ts'

const path = '/sign-in-providers'
const [oldKey, newKey] = [randomBytes(32), randomBytes(32)]
const sealer = createSealer([oldKey])

let database: TestDatabase
let api: TestApi
let admin: Identity

beforeAll(async () => {
  database = await createTestDatabase()
  api = await createTestApi(database.sql, { sealer })
  admin = await addAdmin(database.sql)
})
afterAll(() => database.drop())

const input = (fields: object = {}) => ({
  name: fresh('provider'),
  issuer: 'https://login.example.com/tenant',
  client_id: 'hallpass',
  ...fields,
})
const call = <Body = SignInProvider>(method: string, path: string, body?: unknown, as = admin.id) =>
  api.call<Body>(method, path, { as, body })
const post = (fields: object = {}) => call('POST', path, input(fields))

test('A provider is created, read, replaced and deleted, and its secret is never answered', async () => {
  const group = await addGroup(database.sql)
  const group_mappings = [{ value: 'dev', group_id: group.id }]
  const shown = input({ group_claim: 'groups', group_mappings })
  const sent = { ...shown, client_secret: 'top secret' }
  const { status, body: created, headers } = await call('POST', path, sent)
  expect(status).toBe(201)
  expect(headers.get('location')).toBe(`/api/v1${path}/${created.id}`)
  expect(created).toMatchObject({
    ...shown,
    has_client_secret: true,
    enabled: true,
    create_identities: false,
  })
  expect(created.scopes).toEqual(['openid', 'email', 'profile'])

  const one = `${path}/${created.id}`
  const edit = { ...shown, enabled: false, group_mappings: [], allowed_email_domains: ['Example.com'] }
  const { body: replaced } = await call('PUT', one, edit)
  expect(replaced).toMatchObject({ enabled: false, has_client_secret: true, group_mappings: [] })
  expect(replaced.allowed_email_domains).toEqual(['example.com'])
  const without = await call('PUT', one, { ...edit, client_secret: null })
  expect(without.body.has_client_secret).toBe(false)
  const listed = await call<{ data: SignInProvider[] }>('GET', path)
  expect(listed.body.data.map(({ id }) => id)).toContain(created.id)

  expect((await call('DELETE', one)).status).toBe(204)
  expectRefusal(await call('GET', one), 404, 'not_found')
  const events = await eventsOf(database.sql, created.id)
  expect(events.map(({ kind }) => kind.split('.')[1])).toEqual(['created', 'updated', 'updated', 'deleted'])
  expect(JSON.stringify([created, replaced, listed.body, events])).not.toContain('top secret')
})

test('A change of the secret alone is written down too', async () => {
  const { body } = await post()
  const { id, has_client_secret: _, created_at: _c, updated_at: _u, ...fields } = body
  await call('PUT', `${path}/${id}`, { ...fields, client_secret: 'new one' })
  expect((await eventsOf(database.sql, id)).at(-1)?.detail).toMatchObject({ has_new_secret: true })
})

test('A secret is sealed for its row, and sealed again when the key changes', async () => {
  const { body } = await post({ client_secret: 'top secret' })
  const both = createSealer([newKey, oldKey])
  expect((await resealProviders(database.sql, both)).lost).toEqual([])
  const only_new = createSealer([newKey])
  expect((await findEnabledProvider(database.sql, only_new, body.id))?.client_secret).toBe('top secret')
  expect((await resealProviders(database.sql, createSealer([oldKey]))).lost).toContain(body.name)
  await resealProviders(database.sql, createSealer([oldKey, newKey]))
})

describe('Refused', () => {
  test.each([
    ['an http issuer', { issuer: 'http://login.example.com' }, '/issuer'],
    ['an issuer with a query', { issuer: 'https://login.example.com?x' }, '/issuer'],
    ['an issuer with a password', { issuer: 'https://a:b@login.example.com' }, '/issuer'],
    ['a discovery document', { issuer: 'https://x.example/.well-known/openid-configuration' }, '/issuer'],
    ['another scheme', { issuer: 'file:///etc/passwd' }, '/issuer'],
    ['an issuer with a backslash', { issuer: 'https://login.example.com\\x' }, '/issuer'],
    ['scopes without openid', { scopes: ['email'] }, '/scopes'],
    ['a scope with a space', { scopes: ['openid', 'a b'] }, '/scopes/1'],
    ['creating people of any domain', { create_identities: true }, '/allowed_email_domains'],
    ['a domain with a wildcard', { allowed_email_domains: ['*.example.com'] }, '/allowed_email_domains/0'],
    ['a domain with an @', { allowed_email_domains: ['@example.com'] }, '/allowed_email_domains/0'],
    ['an empty secret', { client_secret: '' }, '/client_secret'],
    ['a member that nobody knows', { has_client_secret: true }, '/has_client_secret'],
  ])('%s', async (_, fields, pointer) => {
    expectRefusal(await post(fields), 422, 'invalid_request', pointer)
  })

  test('groups without a claim, a group twice, and groups that are none or temporary', async () => {
    const { id: group_id } = await addGroup(database.sql)
    const mapping = { value: 'x', group_id }
    expectRefusal(await post({ group_mappings: [mapping] }), 422, 'invalid_request', '/group_claim')
    const claimed = (group_mappings: object[]) => post({ group_claim: 'groups', group_mappings })
    expectRefusal(await claimed([mapping, mapping]), 422, 'invalid_request', '/group_mappings')
    const nowhere = { value: 'x', group_id: crypto.randomUUID() }
    const pointer = '/group_mappings/1/group_id'
    expectRefusal(await claimed([mapping, nowhere]), 422, 'invalid_request', pointer)
  })

  test('another issuer for the people that are known', async () => {
    const { body } = await post()
    const moved = input({ issuer: 'https://evil.example' })
    expectRefusal(await call('PUT', `${path}/${body.id}`, moved), 422, 'invalid_request', '/issuer')
  })

  test('a name that is taken, and an edit of what somebody else changed', async () => {
    const { body } = await post()
    expectRefusal(await post({ name: body.name.toUpperCase() }), 409, 'name_taken')
    const stale = { as: admin.id, body: input(), headers: { 'if-match': '"9"' } }
    expectRefusal(await api.call('PUT', `${path}/${body.id}`, stale), 412, 'precondition_failed')
  })

  test('whoever does not manage access requests, though they manage the directory', async () => {
    const { body } = await post()
    const person = await addPerson(database.sql)
    await addGroup(database.sql, [person], { permissions: ['directory.manage'] })
    for (const [method, path_] of [
      ['GET', path],
      ['POST', path],
      ['GET', `${path}/${body.id}`],
      ['PUT', `${path}/${body.id}`],
      ['DELETE', `${path}/${body.id}`],
    ] as const) {
      const sent = method === 'POST' || method === 'PUT' ? input() : undefined
      expectRefusal(await call(method, path_, sent, person.id), 403, 'forbidden')
    }
  })

  test('deleting a group that a provider gives', async () => {
    const { id: group_id } = await addGroup(database.sql)
    const { body } = await post({ group_claim: 'groups', group_mappings: [{ value: 'x', group_id }] })
    const refusal = await call<{ detail: string }>('DELETE', `/groups/${group_id}`)
    expectRefusal(refusal, 409, 'in_use')
    expect(refusal.body.detail).toContain(body.name)
  })
})
