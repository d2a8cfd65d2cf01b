import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { getRow, rows } from '../../db/client.ts'
import { createBrowser } from '../api/sign-in/browser.ts'
import type { Browser } from '../api/sign-in/browser.ts'
import { startIdentityProvider } from '../api/sign-in/identity-provider.ts'
import type { Account, IdentityProvider } from '../api/sign-in/identity-provider.ts'
import {
  addProvider,
  comeBack,
  getMe,
  isSignedIn,
  redirectUri,
  signInAt,
  signInLocally,
  startAt,
  startSignInProduct,
} from '../api/sign-in/signing-in.ts'
import { addGroup, addMember, fresh } from '../setup/people.ts'
import type { TestProduct } from '../setup/product.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let product: TestProduct
let idp: IdentityProvider
let admin: Browser

beforeAll(async () => {
  ;[product, idp] = await Promise.all([startSignInProduct(), startIdentityProvider(redirectUri)])
  admin = await signInLocally(product, 'admin@example.com')
})
afterAll(() => Promise.all([product.close(), idp.close()]))

const provided = (fields: object = {}) =>
  addProvider(admin, idp, {
    client_secret: idp.client_secret,
    scopes: ['openid', 'email', 'profile', 'groups'],
    ...fields,
  })

/** Makes an account at the provider and lets it be the one that signs in. @returns its subject */
function be(account: Account, sub = fresh('sub')): string {
  idp.accounts.set(sub, account)
  idp.person = sub
  return sub
}

const known = (email: string): Account => ({ email, email_verified: true, name: 'Somebody' })
const creating = { create_identities: true, allowed_email_domains: ['people.example'] }

test('Somebody who is known signs in, is known by the subject from then on, and goes where they wanted to', async () => {
  const provider = await provided()
  const sub = be(known('Alice@Example.com'))
  const browser = createBrowser(product.url)
  expect(await signInAt(browser, provider, '/requests/1?tab=a%20b#x')).toBe('/requests/1?tab=a%20b#x')
  expect(await getMe(browser)).toMatchObject({ email: 'alice@example.com', session: { via: 'cookie' } })

  be({ email: 'renamed@example.org', email_verified: false }, sub)
  const later = createBrowser(product.url)
  expect(await signInAt(later, provider)).toBe('/my-requests')
  expect(await getMe(later)).toMatchObject({ email: 'alice@example.com' })
  const event = await getRow<object>(product.sql`
    select actor_email, detail from audit_events where kind = 'identity.signed_in' order by seq desc limit 1`)
  expect(event).toMatchObject({
    actor_email: 'alice@example.com',
    detail: { method: 'oidc', sign_in_provider_id: provider.id, subject: sub },
  })
})

test('Whoever used an identity before its address was vouched for is out with the first sign-in by a provider', async () => {
  const squatter = await signInLocally(product, 'dana@example.com')
  const provider = await provided()
  be(known('dana@example.com'))
  const owner = createBrowser(product.url)
  await signInAt(owner, provider)
  expect(await isSignedIn(owner)).toBe(true)
  expect(await isSignedIn(squatter)).toBe(false)
  const again = createBrowser(product.url)
  await signInAt(again, provider)
  expect([await isSignedIn(owner), await isSignedIn(again)]).toEqual([true, true])
})

test('Several providers are offered, by name; one that is disabled is not', async () => {
  const [one, two] = [await provided(), await provided({ enabled: false })]
  const { providers } = (await (await createBrowser(product.url).go('/auth/options')).json()) as {
    providers: { id: string; name: string }[]
  }
  expect(providers).toContainEqual({ id: one.id, name: one.name })
  expect(providers.map(({ id }) => id)).not.toContain(two.id)
  expect((await createBrowser(product.url).go(`/auth/oidc/${two.id}/start`)).status).toBe(404)
})

describe('Somebody who is not known', () => {
  test('is created where that is allowed, once, also when they come twice at once', async () => {
    const provider = await provided(creating)
    const email = `${fresh('new')}@people.example`
    const sub = be({ email, email_verified: true, name: 'New Person' })
    const browsers = [createBrowser(product.url), createBrowser(product.url)]
    expect(await Promise.all(browsers.map((browser) => signInAt(browser, provider)))).toEqual([
      '/my-requests',
      '/my-requests',
    ])
    const [first, second] = await Promise.all(browsers.map(getMe))
    expect(first).toMatchObject({
      email,
      display_name: 'New Person',
      kind: 'human',
      permissions: [],
      groups: [],
    })
    expect(second?.id).toBe(first?.id)
    const created = await rows(product.sql`
      select id from audit_events where kind = 'identity.created' and detail ->> 'email' = ${email}`)
    expect(created).toHaveLength(1)
    expect(await rows(product.sql`select 1 from sign_in_subjects where subject = ${sub}`)).toHaveLength(1)
  })

  test.each([
    ['not created', {}, 'not_registered'],
    ['not of a domain that is listed', creating, 'email_domain_not_allowed'],
  ])('is refused where people are %s', async (_, fields, code) => {
    const provider = await provided(fields)
    const email = `${fresh('new')}@elsewhere.example`
    be(known(email))
    const browser = createBrowser(product.url)
    expect(await signInAt(browser, provider)).toBe(`/sign-in?error=${code}`)
    expect(await isSignedIn(browser)).toBe(false)
    expect(await rows(product.sql`select id from identities where email = ${email}`)).toEqual([])
    const { detail } = await getRow<{ detail: object }>(product.sql`
      select detail from audit_events where kind = 'sign_in.refused' order by seq desc limit 1`)
    expect(detail).toMatchObject({ reason: code, email })
  })

  test('is no other domain by a look-alike', async () => {
    const provider = await provided(creating)
    for (const domain of [
      'sub.people.example',
      'people.example.evil.org',
      'peoplexexample',
      'xpeople.example',
    ]) {
      be(known(`x@${domain}`))
      const refused = await signInAt(createBrowser(product.url), provider)
      expect(refused).toBe('/sign-in?error=email_domain_not_allowed')
    }
  })
})

describe('An address is not a key to an account', () => {
  test.each([
    ['is not verified', { email: 'bob@example.com', email_verified: false }, 'email_not_verified'],
    [
      'is said to be verified in words',
      { email: 'bob@example.com', email_verified: 'true' },
      'email_not_verified',
    ],
    ['is of unknown standing', { email: 'bob@example.com' }, 'email_not_verified'],
    ['is missing', { email_verified: true }, 'email_not_verified'],
    [
      'falls together in lower case',
      { email: '\u212Aob@example.com', email_verified: true },
      'email_not_verified',
    ],
    ['is two', { email: 'x@y.example, bob@example.com', email_verified: true }, 'email_not_verified'],
    ['is an NHI', { email: 'ci-bot', email_verified: true }, 'email_not_verified'],
  ])('that %s', async (_, account, code) => {
    const provider = await provided()
    be(account as Account)
    const browser = createBrowser(product.url)
    expect(await signInAt(browser, provider)).toBe(`/sign-in?error=${code}`)
    expect(await isSignedIn(browser)).toBe(false)
  })

  test('that changed hands: whoever has it now is not whoever had it', async () => {
    const provider = await provided(creating)
    const email = `${fresh('leaver')}@people.example`
    be(known(email))
    expect(await signInAt(createBrowser(product.url), provider)).toBe('/my-requests')
    be(known(email))
    const successor = createBrowser(product.url)
    expect(await signInAt(successor, provider)).toBe('/sign-in?error=email_taken')
    expect(await isSignedIn(successor)).toBe(false)
  })

  test('that a provider may not speak for', async () => {
    const provider = await provided({ allowed_email_domains: ['partner.example'] })
    be(known('admin@example.com'))
    const browser = createBrowser(product.url)
    expect(await signInAt(browser, provider)).toBe('/sign-in?error=email_domain_not_allowed')
  })
})

test('Somebody who was disabled does not sign in, by address or by subject', async () => {
  const provider = await provided(creating)
  const email = `${fresh('gone')}@people.example`
  const sub = be(known(email))
  const browser = createBrowser(product.url)
  await signInAt(browser, provider)
  const { id } = await getMe(browser)
  await product.sql`update identities set status = 'disabled' where id = ${id}`
  expect(await signInAt(createBrowser(product.url), provider)).toBe('/sign-in?error=inactive')
  be(known(email), fresh('other'))
  await product.sql`delete from sign_in_subjects where subject = ${sub}`
  expect(await signInAt(createBrowser(product.url), provider)).toBe('/sign-in?error=inactive')
})

describe('Groups of a claim', () => {
  const groupsOf = async (browser: Browser) => (await getMe(browser)).groups.map(({ id }) => id).sort()

  test('are joined and left as the claim says, and what was made by hand stays', async () => {
    const [dev, ops, hand] = await Promise.all([1, 2, 3].map(() => addGroup(product.sql)))
    if (!dev || !ops || !hand) return expect.unreachable()
    const group_mappings = [
      { value: 'developers', group_id: dev.id },
      { value: 'operators', group_id: ops.id },
      { value: 'operators', group_id: hand.id },
    ]
    const provider = await provided({ ...creating, group_claim: 'groups', group_mappings })
    const email = `${fresh('member')}@people.example`
    const sub = be({ ...known(email), groups: ['developers', 'unknown', 7] })
    const browser = createBrowser(product.url)
    await signInAt(browser, provider)
    expect(await groupsOf(browser)).toEqual([dev.id])

    await addMember(product.sql, hand, await getMe(browser))
    be({ ...known(email), groups: 'operators' }, sub)
    await signInAt(browser, provider)
    expect(await groupsOf(browser)).toEqual([ops.id, hand.id].sort())

    be(known(email), sub)
    await signInAt(browser, provider)
    expect(await groupsOf(browser)).toEqual([hand.id])
    const kinds = await rows<{ kind: string }>(product.sql`
      select kind from audit_events where detail ->> 'sign_in_provider_id' = ${provider.id}
        and kind like 'membership.%' order by seq`)
    expect(kinds.map(({ kind }) => kind)).toEqual([
      'membership.added',
      'membership.removed',
      'membership.added',
      'membership.removed',
    ])
  })

  test('one that an admin takes in hand is not left; one that two providers give is left with the second', async () => {
    const [kept, shared] = await Promise.all([addGroup(product.sql), addGroup(product.sql)])
    const mapped = (...groups: { id: string }[]) =>
      provided({
        ...creating,
        group_claim: 'groups',
        group_mappings: groups.map(({ id }) => ({ value: 'in', group_id: id })),
      })
    const [one, two] = [await mapped(kept, shared), await mapped(shared)]
    const email = `${fresh('member')}@people.example`
    const sub = be({ ...known(email), groups: ['in'] })
    const browser = createBrowser(product.url)
    await signInAt(browser, one)
    await signInAt(browser, two)
    await addMember(product.sql, kept, await getMe(browser))

    be({ ...known(email), groups: [] }, sub)
    await signInAt(browser, one)
    expect(await groupsOf(browser)).toEqual([kept.id, shared.id].sort())
    await signInAt(browser, two)
    expect(await groupsOf(browser)).toEqual([kept.id])
  })

  test('go with the provider that gave them, as do its sessions', async () => {
    const group = await addGroup(product.sql)
    const group_mappings = [{ value: 'in', group_id: group.id }]
    const provider = await provided({ ...creating, group_claim: 'groups', group_mappings })
    be({ ...known(`${fresh('member')}@people.example`), groups: ['in'] })
    const browser = createBrowser(product.url)
    await signInAt(browser, provider)
    const { id } = await getMe(browser)
    const path = `/api/v1/sign-in-providers/${provider.id}`
    const headers = { origin: product.url, 'content-type': 'application/json' }
    expect((await admin.go(path, { method: 'DELETE', headers })).status).toBe(204)
    expect(await isSignedIn(browser)).toBe(false)
    expect(await rows(product.sql`select 1 from memberships where identity_id = ${id}`)).toEqual([])
  })

  test('that the last admin would lose are not taken: nobody signs in without them', async () => {
    const group = await addGroup(product.sql, [], { permissions: ['access_requests.manage'] })
    const group_mappings = [{ value: 'admins', group_id: group.id }]
    const provider = await provided({ ...creating, group_claim: 'groups', group_mappings })
    const email = `${fresh('boss')}@people.example`
    const sub = be({ ...known(email), groups: ['admins'] })
    const boss = createBrowser(product.url)
    await signInAt(boss, provider)
    expect((await getMe(boss)).permissions).toEqual(['access_requests.manage'])
    const left = await rows<{ group_id: string; identity_id: string }>(product.sql`
      delete from memberships where group_id in (
        select id from groups where 'access_requests.manage' = any (permissions) and id <> ${group.id})
      returning group_id, identity_id`)
    be({ ...known(email), groups: [] }, sub)
    expect(await signInAt(createBrowser(product.url), provider)).toBe('/sign-in?error=last_admin')
    expect((await getMe(boss)).permissions).toEqual(['access_requests.manage'])
    for (const membership of left) await product.sql`insert into memberships ${product.sql(membership)}`
    expect(await signInAt(createBrowser(product.url), provider)).toBe('/my-requests')
    expect((await getMe(boss)).permissions).toEqual([])
  })
})

describe('What comes back is taken once, in the browser that asked, as it was asked for', () => {
  test('the same code and state again', async () => {
    const provider = await provided()
    be(known('bob@example.com'))
    const browser = createBrowser(product.url)
    const callback = await comeBack(browser, await startAt(browser, provider))
    const cookies = new Map(browser.cookies)
    expect((await browser.go(callback)).headers.get('location')).toBe('/my-requests')
    const again = createBrowser(product.url)
    for (const [key, value] of cookies) again.cookies.set(key, value)
    expect((await again.go(callback)).headers.get('location')).toBe('/sign-in?error=expired')
    expect(await isSignedIn(again)).toBe(false)
  })

  test('two at once with the same code and state: one is let in', async () => {
    const provider = await provided()
    be(known('bob@example.com'))
    const browser = createBrowser(product.url)
    const callback = await comeBack(browser, await startAt(browser, provider))
    const answers = await Promise.all([1, 2, 3, 4].map(() => browser.go(callback)))
    const locations = answers.map((answer) => answer.headers.get('location'))
    expect(locations.filter((location) => location === '/my-requests')).toHaveLength(1)
    expect(locations.filter((location) => location === '/sign-in?error=expired')).toHaveLength(3)
  })

  test('in another browser, with or without an attempt of its own', async () => {
    const provider = await provided()
    be(known('bob@example.com'))
    for (const has_attempt of [false, true]) {
      const [mine, other] = [createBrowser(product.url), createBrowser(product.url)]
      const callback = await comeBack(mine, await startAt(mine, provider))
      if (has_attempt) await startAt(other, provider)
      expect((await other.go(callback)).headers.get('location')).toBe('/sign-in?error=other_browser')
      expect(await isSignedIn(other)).toBe(false)
      expect((await mine.go(callback)).headers.get('location')).toBe('/sign-in?error=expired')
    }
  })

  test.each([
    ['no state', (url: URL) => url.searchParams.delete('state')],
    ['another state', (url: URL) => url.searchParams.set('state', 'x'.repeat(43))],
    ['nothing at all', (url: URL) => (url.search = '')],
  ])('with %s', async (_, change) => {
    const provider = await provided()
    be(known('bob@example.com'))
    const browser = createBrowser(product.url)
    const url = new URL(await comeBack(browser, await startAt(browser, provider)), product.url)
    change(url)
    const answer = await browser.go(url.pathname + url.search)
    expect(answer.headers.get('location')).toBe('/sign-in?error=expired')
    expect(await isSignedIn(browser)).toBe(false)
  })

  test.each([
    ['no code', (url: URL) => url.searchParams.delete('code')],
    ['another code', (url: URL) => url.searchParams.set('code', 'x'.repeat(43))],
    ['two states', (url: URL) => url.searchParams.append('state', url.searchParams.get('state') ?? '')],
    ['the word of another issuer', (url: URL) => url.searchParams.set('iss', 'https://evil.example')],
    ['no word of the issuer', (url: URL) => url.searchParams.delete('iss')],
    ['a token beside the code', (url: URL) => url.searchParams.set('id_token', 'x.y.z')],
  ])('with %s', async (_, change) => {
    const provider = await provided()
    be(known('bob@example.com'))
    const browser = createBrowser(product.url)
    const url = new URL(await comeBack(browser, await startAt(browser, provider)), product.url)
    change(url)
    const answer = await browser.go(url.pathname + url.search)
    expect(answer.headers.get('location')).toBe('/sign-in?error=provider_refused')
    expect(await isSignedIn(browser)).toBe(false)
  })

  test('after its ten minutes', async () => {
    const provider = await provided()
    be(known('bob@example.com'))
    const browser = createBrowser(product.url)
    const callback = await comeBack(browser, await startAt(browser, provider))
    await product.sql`update sign_in_attempts set expires_at = clock_timestamp()`
    expect((await browser.go(callback)).headers.get('location')).toBe('/sign-in?error=expired')
  })

  test('of whoever says no', async () => {
    const provider = await provided()
    idp.person = null
    const browser = createBrowser(product.url)
    expect(await signInAt(browser, provider)).toBe('/sign-in?error=cancelled')
  })

  test('to a provider that was disabled meanwhile', async () => {
    const provider = await provided()
    be(known('bob@example.com'))
    const browser = createBrowser(product.url)
    const callback = await comeBack(browser, await startAt(browser, provider))
    await product.sql`update sign_in_providers set enabled = false where id = ${provider.id}`
    expect((await browser.go(callback)).headers.get('location')).toBe('/sign-in?error=provider_unavailable')
  })
})

test('The request to the provider says what it has to, and the database holds none of its secrets', async () => {
  const provider = await provided()
  const browser = createBrowser(product.url)
  const { searchParams } = await startAt(browser, provider)
  expect(Object.fromEntries(searchParams)).toEqual({
    client_id: 'hallpass',
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'openid email profile groups',
    state: expect.stringMatching(/^[\w-]{43}$/),
    nonce: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: 'S256',
  })
  const { dump } = await getRow<{ dump: string }>(product.sql`
    select (select string_agg(a::text, ' ') from sign_in_attempts a) ||
      (select string_agg(p::text, ' ') from sign_in_providers p) as dump`)
  for (const secret of [...browser.cookies.values(), searchParams.get('state') ?? '', idp.client_secret])
    expect(dump).not.toContain(secret)
  expect(dump).not.toContain(Buffer.from(idp.client_secret).toString('hex'))
})

test.each([
  'https://evil.example',
  '//evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '/.//evil.example',
  '/a//evil.example',
  'javascript:alert(1)',
  'evil',
  '',
  '/%0d%0aset-cookie:x=1\r\n',
  `/${'x'.repeat(3_000)}`,
])('Nobody is sent on to %j', async (return_to) => {
  const provider = await provided()
  const query = new URLSearchParams({ return_to })
  const answer = await createBrowser(product.url).go(`/auth/oidc/${provider.id}/start?${query.toString()}`)
  expect(answer.status).toBe(422)
})
