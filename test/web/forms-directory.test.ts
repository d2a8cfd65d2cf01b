import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { expectAccessible, hasBrowser, shoot, slow, startMs, startPages, tabTo } from '../setup/browser.ts'
import type { PagesProduct, Visit } from '../setup/browser.ts'
import { button, confirm, expectCalm, expectRefused, field, heading, press, type } from '../setup/forms.ts'
import { eventually } from '../setup/product.ts'
import type { Caller } from '../setup/product.ts'

type Kept = Record<string, unknown> & { id: string }

describe.skipIf(!hasBrowser)('the forms of the directory', slow, () => {
  let it: PagesProduct
  let admin: Visit
  let page: Page
  let caller: Caller
  beforeAll(async () => {
    it = await startPages()
    ;[admin, caller] = await Promise.all([it.visit('admin', '/identities/new'), it.as('admin')])
    page = admin.page
  }, startMs)
  afterAll(() => it.close())
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail' && admin) await shoot(page, `failed-directory-${Date.now()}`)
  })

  /** What the API has of a kind, by name or address. */
  async function kept(path: string, name: string): Promise<Kept> {
    const { body } = await caller.call<{ data: Kept[] }>('GET', `${path}?limit=200`)
    const found = body.data.find((each) => [each['email'], each['name']].includes(name))
    if (found === undefined) throw new Error(`there is no ${name} in ${path}`)
    return found
  }

  /** A save that leads nowhere else has no place on the page to wait for. */
  const becomes = (path: string, name: string, [key, value]: [string, string]) =>
    eventually(`${name} with its new ${key}`, async () => (await kept(path, name))[key] === value, 60_000)

  const isThere = async (path: string, name: string): Promise<boolean> => {
    const { body } = await caller.call<{ data: Kept[] }>('GET', `${path}?limit=200`)
    return body.data.some((each) => [each['email'], each['name']].includes(name))
  }

  async function open(path: string, title: string): Promise<void> {
    await page.goto(`${it.url}${path}`)
    await heading(page, title).waitFor()
    await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })
  }

  const choose = async (at: ReturnType<typeof field>, label: string): Promise<void> => {
    await tabTo(at)
    await at.selectOption({ label })
  }

  /** Somebody else saves what the page shows, unseen by it. */
  async function changeMeanwhile(path: string, changes: object): Promise<void> {
    const { body } = await caller.call('GET', path)
    const { id: _, app_id: _a, kind: _k, mapping_ids: _m, expires_at: _e, ...rest } = body
    const { created_at: _c, updated_at: _u, ...input } = rest
    const { status } = await caller.call('PUT', path, { ...input, ...changes })
    expect(status).toBe(200)
  }

  const conflict = () =>
    page.getByRole('alert').filter({ hasText: 'Somebody else has saved this while you were editing' })

  describe('an identity', () => {
    const named = (label: string | RegExp) => field(page, 'Identity', label)
    const create = () => press(button(page, 'Create identity'))

    test('a person is refused without a name, and with what is no address or taken; what was typed stays', async () => {
      await heading(page, 'New identity').waitFor()
      await create()
      await expectRefused(named(/^Name/), 'must not be blank')
      await expectAccessible(page)
      await type(named(/^Name/), 'Eve')
      for (const [address, words] of [
        ['eve', 'must be an e-mail address'],
        ['ALICE@example.com', 'is taken'],
      ] as const) {
        await type(named('E-mail address'), address)
        await create()
        await expectRefused(named('E-mail address'), words)
        expect(await named('E-mail address').inputValue()).toBe(address)
      }
      expect(await named(/^Name/).inputValue()).toBe('Eve')
      expect(await isThere('/identities', 'eve')).toBe(false)
    })

    test('a person is made, with an end in the zone of whoever types it', async () => {
      await type(named('E-mail address'), 'eve@example.com')
      await named('Ends').fill('2031-03-01T10:00')
      await create()
      await heading(page, 'Eve').waitFor()
      expect(await kept('/identities', 'eve@example.com')).toMatchObject({
        kind: 'human',
        display_name: 'Eve',
        expires_at: '2031-03-01T09:00:00.000Z',
        owner_id: null,
        status: 'active',
      })
    })

    test('half an end is refused, not taken for none', async () => {
      await tabTo(named('Ends'))
      await page.keyboard.press('Delete')
      await press(button(page, 'Save identity'))
      await page.getByText('Fill in the day and the time, or clear them both.').waitFor()
      expect(await kept('/identities', 'eve@example.com')).toMatchObject({
        expires_at: '2031-03-01T09:00:00.000Z',
      })
    })

    test('a machine is refused without owner, purpose and class, and with an owner whom nobody knows', async () => {
      await open('/identities/new', 'New identity')
      await choose(named('Kind'), 'Workload')
      await type(named(/^Name/), 'Nightly backup')
      await type(named('Handle'), 'nightly backup')
      await create()
      await expectRefused(named('Handle'), 'must not hold spaces')
      await type(named('Handle'), 'nightly-backup')
      await type(named('Owner'), 'mallory@example.com')
      await create()
      await expectRefused(named('Owner'), 'Nobody here has this address: choose one of the list.')
      await type(named('Owner'), 'alice@example.com')
      await create()
      await expectRefused(named('Purpose'), 'must have a purpose')
      await type(named('Purpose'), 'Copies the databases.')
      await create()
      await expectRefused(named('Privilege class'), 'must have a privilege class')
      await choose(named('Privilege class'), 'High')
      for (const [days, words] of [
        ['soon', 'must be a whole number'],
        ['0', 'must be at least 1'],
      ] as const) {
        await type(named('Credentials change'), days)
        await create()
        await expectRefused(named('Credentials change'), words)
      }
      await expectAccessible(page)
      expect(await isThere('/identities', 'nightly-backup')).toBe(false)
    })

    test('a machine is made, with all that the form says', async () => {
      await type(named('Credentials change'), '30')
      await type(named('Delegates'), 'bob@example.com')
      await button(page, 'Remove bob@example.com').waitFor()
      await create()
      await heading(page, 'Nightly backup').waitFor()
      const [alice, bob] = [await kept('/identities', 'alice@example.com'), await it.as('bob')]
      expect(await kept('/identities', 'nightly-backup')).toMatchObject({
        kind: 'workload',
        owner_id: alice['id'],
        delegate_ids: [bob.id],
        purpose: 'Copies the databases.',
        privilege_class: 'high',
        rotation_days: 30,
        expires_at: null,
      })
    })

    test.each([
      ['Service account', 'service_account'],
      ['Agent', 'agent'],
    ] as const)('so is a machine of the kind %s', async (label, kind) => {
      await open('/identities/new', 'New identity')
      await choose(named('Kind'), label)
      await type(named(/^Name/), `Of kind ${kind}`)
      await type(named('Handle'), `of-kind-${kind}`)
      await type(named('Owner'), 'alice@example.com')
      await type(named('Purpose'), 'Tries the form.')
      await choose(named('Privilege class'), 'Low')
      await create()
      await heading(page, `Of kind ${kind}`).waitFor()
      expect(await kept('/identities', `of-kind-${kind}`)).toMatchObject({ kind, rotation_days: 90 })
    })

    test('only what was changed is sent: what somebody else saved meanwhile is not undone unawares', async () => {
      const { id } = await kept('/identities', 'nightly-backup')
      await open(`/identities/${id}`, 'Nightly backup')
      const meanwhile = await caller.call('PATCH', `/identities/${id}`, { purpose: 'Copies them all.' })
      expect(meanwhile.status).toBe(200)
      await type(named(/^Name/), 'Nightly copies')
      await press(button(page, 'Save identity'))
      await conflict().waitFor()
      await press(button(page, 'See what they changed'))
      await conflict().getByText('They changed: purpose.').waitFor()
      await expectAccessible(page)
      expect(await named(/^Name/).inputValue()).toBe('Nightly copies')
      await press(button(page, 'Save mine over it'))
      await heading(page, 'Nightly copies').waitFor()
      await conflict().waitFor({ state: 'detached' })
    })

    test('disabling is saved, and whoever looks at the list sees it', async () => {
      await tabTo(named('Active'))
      await page.keyboard.press('Space')
      await press(button(page, 'Save identity'))
      await becomes('/identities', 'nightly-backup', ['status', 'disabled'])
      await open('/identities', 'Identities')
      await page
        .getByRole('row')
        .filter({ hasText: 'nightly-backup' })
        .getByText('Disabled', { exact: true })
        .waitFor()
    })
  })

  describe('a group', () => {
    const named = (label: string | RegExp) => field(page, 'Group', label)
    const member = (label: string | RegExp) => field(page, 'Member', label)
    const row = (text: string) => page.getByRole('row').filter({ hasText: text })
    const membersOf = async (name: string): Promise<Kept[]> => {
      const { id } = await kept('/groups', name)
      return (await caller.call<{ data: Kept[] }>('GET', `/groups/${id}/members`)).body.data
    }

    test('is refused under a name that is blank, taken or reserved', async () => {
      await open('/groups/new', 'New group')
      for (const [name, words] of [
        [' ', 'must not be blank'],
        ['dba-team', 'is taken'],
        ['__access_req_mine', 'reserved'],
      ] as const) {
        await type(named(/^Name/), name)
        await type(named('Description'), 'Who is on call.')
        await press(button(page, 'Create group'))
        await expectRefused(named(/^Name/), words)
        expect(await named('Description').inputValue()).toBe('Who is on call.')
      }
      await expectAccessible(page)
      expect(await isThere('/groups', '__access_req_mine')).toBe(false)
    })

    test('is made with its permissions', async () => {
      await type(named(/^Name/), 'on-call')
      await tabTo(named('templates.manage'))
      await page.keyboard.press('Space')
      await press(button(page, 'Create group'))
      await heading(page, 'on-call').waitFor()
      expect(await kept('/groups', 'on-call')).toMatchObject({
        description: 'Who is on call.',
        permissions: ['templates.manage'],
      })
    })

    test('nobody, somebody unknown and an end that has passed are refused as members', async () => {
      const add = () => press(button(page, 'Add member'))
      await add()
      await expectRefused(member('E-mail address'), 'choose somebody of the list')
      await type(member('E-mail address'), 'mallory@example.com')
      await add()
      await expectRefused(member('E-mail address'), 'Nobody here has this address')
      expect(await member('E-mail address').inputValue()).toBe('mallory@example.com')
      await type(member('E-mail address'), 'alice@example.com')
      await member('Until').fill('2020-01-01T10:00')
      await add()
      await expectRefused(member('Until'), 'must be in the future')
      expect(await member('E-mail address').inputValue()).toBe('alice@example.com')
      await expectAccessible(page)
      expect(await membersOf('on-call')).toEqual([])
    })

    test('a member is added until an end, gets another one, and is removed', async () => {
      await member('Until').fill('2031-07-01T12:00')
      await press(button(page, 'Add member'))
      await row('alice@example.com').waitFor()
      await member('E-mail address').and(page.locator(':focus')).waitFor()
      expect(await membersOf('on-call')).toMatchObject([
        { email: 'alice@example.com', expires_at: '2031-07-01T10:00:00.000Z' },
      ])
      await type(member('E-mail address'), 'alice@example.com')
      await press(button(page, 'Add member'))
      await row('For good').waitFor()
      expect(await membersOf('on-call')).toMatchObject([{ expires_at: null }])
      await confirm(button(page, 'Remove Alice'), 'Remove Alice')
      await row('alice@example.com').waitFor({ state: 'detached' })
      expect(await membersOf('on-call')).toEqual([])
    })

    test('a standing mapping is given, and taken away', async () => {
      await choose(page.getByLabel('Give them a mapping'), 'Internal DB: db-readonly')
      await press(button(page, 'Add mapping'))
      await row('roles = db-readonly').waitFor()
      expect((await kept('/groups', 'on-call'))['mapping_ids']).toHaveLength(1)
      await confirm(button(page, 'Take db-readonly away'), 'Take db-readonly away')
      await row('roles = db-readonly').waitFor({ state: 'detached' })
      expect((await kept('/groups', 'on-call'))['mapping_ids']).toEqual([])
    })

    test('what somebody else saved meanwhile is told, and can be loaded', async () => {
      const { id } = await kept('/groups', 'on-call')
      await changeMeanwhile(`/groups/${id}`, { description: 'By rotation.' })
      await type(named(/^Name/), 'on-call-now')
      await press(button(page, 'Save group'))
      await conflict().waitFor()
      expect(await named(/^Name/).inputValue()).toBe('on-call-now')
      expect(await isThere('/groups', 'on-call-now')).toBe(false)
      await press(button(page, 'Load what is saved now'))
      await conflict().waitFor({ state: 'detached' })
      expect(await named('Description').inputValue()).toBe('By rotation.')
      expect(await named(/^Name/).inputValue()).toBe('on-call')
    })

    test('the last admins keep their permission, and stay what they are', async () => {
      const { id } = await kept('/groups', 'admins')
      await open(`/groups/${id}`, 'admins')
      await tabTo(named('access_requests.manage'))
      await page.keyboard.press('Space')
      await press(button(page, 'Save group'))
      await page.getByRole('alert').filter({ hasText: 'There must always be an active person' }).waitFor()
      await button(page, 'Save group').and(page.locator(':focus')).waitFor()
      expect(await named('access_requests.manage').isChecked()).toBe(false)
      await confirm(button(page, 'Remove Admin'), 'Remove Admin')
      const dialog = page.getByRole('dialog')
      await dialog.getByRole('alert').filter({ hasText: 'There must always be an active person' }).waitFor()
      await page.keyboard.press('Escape')
      expect(await membersOf('admins')).toHaveLength(1)
      expect(await kept('/groups', 'admins')).toMatchObject({ permissions: ['access_requests.manage'] })
    })
  })

  describe('an application', () => {
    const named = (label: string | RegExp) => field(page, 'Application', label)
    const mapping = (label: string | RegExp) => field(page, 'Mapping', label)
    const row = (text: string) => page.getByRole('row').filter({ hasText: text })
    const mappings = async (): Promise<Kept[]> => {
      const { id } = await kept('/applications', 'Billing')
      return (await caller.call<{ data: Kept[] }>('GET', `/applications/${id}/mappings`)).body.data
    }

    test('is refused without a name, and with a slug that is none or taken', async () => {
      await open('/applications/new', 'New application')
      await press(button(page, 'Create application'))
      await expectRefused(named(/^Name/), 'must not be blank')
      await type(named(/^Name/), 'Billing')
      for (const [slug, words] of [
        ['Billing & co', 'lower-case letters'],
        ['internal-db', 'is taken'],
      ] as const) {
        await type(named('Slug'), slug)
        await press(button(page, 'Create application'))
        await expectRefused(named('Slug'), words)
        expect(await named('Slug').inputValue()).toBe(slug)
      }
      await expectAccessible(page)
      expect(await isThere('/applications', 'Billing')).toBe(false)
    })

    test('is made with the group that owns it', async () => {
      await type(named('Slug'), 'billing')
      await type(named('Description'), 'Invoices.')
      await choose(named('Owned by'), 'dba-team')
      await press(button(page, 'Create application'))
      await heading(page, 'Billing').waitFor()
      const { id } = await kept('/groups', 'dba-team')
      expect(await kept('/applications', 'Billing')).toMatchObject({
        slug: 'billing',
        description: 'Invoices.',
        owner_group_id: id,
      })
    })

    test('a mapping is refused without a value, and under a claim that is reserved', async () => {
      const add = () => press(button(page, 'Add mapping'))
      await type(mapping(/^Name/), 'clerk')
      await add()
      await expectRefused(mapping(/^Value/), 'must not be empty')
      await type(mapping(/^Value/), 'clerk')
      for (const [claim, words] of [
        ['groups', 'this claim name is reserved'],
        ['the roles', 'letters, digits'],
      ] as const) {
        await type(mapping(/^Claim/), claim)
        await add()
        await expectRefused(mapping(/^Claim/), words)
      }
      await expectAccessible(page)
      expect(await mappings()).toEqual([])
    })

    test('mappings are made, the next one right after; a name serves once', async () => {
      await type(mapping(/^Claim/), 'roles')
      await press(button(page, 'Add mapping'))
      await row('roles = clerk').waitFor()
      await mapping(/^Name/).and(page.locator(':focus')).waitFor()
      await type(mapping(/^Name/), 'clerk')
      await type(mapping(/^Value/), 'auditor')
      await press(button(page, 'Add mapping'))
      await expectRefused(mapping(/^Name/), 'is taken')
      await type(mapping(/^Name/), 'auditor')
      await choose(mapping('Privilege'), 'Critical')
      await press(button(page, 'Add mapping'))
      await row('roles = auditor').waitFor()
      expect(await mappings()).toMatchObject([
        { name: 'clerk', claim: 'roles', value: 'clerk', privilege_level: 'low' },
        { name: 'auditor', value: 'auditor', privilege_level: 'critical' },
      ])
    })

    test('a mapping is edited, and what somebody else made of it meanwhile is told first', async () => {
      const [clerk] = await mappings()
      await press(button(page, 'Edit clerk'))
      await page.getByRole('heading', { name: 'Edit clerk' }).waitFor()
      await mapping(/^Name/).and(page.locator(':focus')).waitFor()
      await type(mapping(/^Value/), 'senior-clerk')
      await changeMeanwhile(`/app-mappings/${clerk?.id ?? ''}`, { privilege_level: 'high' })
      await press(button(page, 'Save mapping'))
      await conflict().waitFor()
      await press(button(page, 'See what they changed'))
      await conflict().getByText('They changed: privilege level.').waitFor()
      expect(await mapping(/^Value/).inputValue()).toBe('senior-clerk')
      await press(button(page, 'Load what is saved now'))
      await conflict().waitFor({ state: 'detached' })
      await type(mapping(/^Value/), 'senior-clerk')
      await press(button(page, 'Save mapping'))
      await row('roles = senior-clerk').waitFor()
      expect((await mappings())[0]).toMatchObject({ value: 'senior-clerk', privilege_level: 'high' })
    })

    test('what is left as it was is not saved', async () => {
      await press(button(page, 'Edit auditor'))
      await type(mapping(/^Value/), 'nobody')
      await press(button(page, 'Leave it as it was'))
      await page.getByRole('heading', { name: 'New mapping' }).waitFor()
      expect((await mappings())[1]).toMatchObject({ value: 'auditor' })
    })

    test('is saved anew, and what a template refers to is not deleted', async () => {
      await type(named('Description'), 'Invoices and reminders.')
      await press(button(page, 'Save application'))
      await becomes('/applications', 'Billing', ['description', 'Invoices and reminders.'])
      const { id } = await kept('/applications', 'Internal DB')
      await open(`/applications/${id}`, 'Internal DB')
      await confirm(button(page, 'Delete'), 'Delete')
      await page
        .getByRole('dialog')
        .getByRole('alert')
        .filter({ hasText: /template/ })
        .waitFor()
      await page.keyboard.press('Escape')
      expect(await isThere('/applications', 'Internal DB')).toBe(true)
      expectCalm(admin)
    })
  })
})
