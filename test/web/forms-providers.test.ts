import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { expectAccessible, hasBrowser, shoot, slow, startMs, startPages, tabTo } from '../setup/browser.ts'
import type { PagesProduct, Visit } from '../setup/browser.ts'
import {
  button,
  confirm,
  expectCalm,
  expectNowhere,
  expectRefused,
  field,
  heading,
  press,
  type,
} from '../setup/forms.ts'
import type { Caller } from '../setup/product.ts'

type Kept = Record<string, unknown> & { id: string }

describe.skipIf(!hasBrowser)('the forms of those who vouch for others', slow, () => {
  let it: PagesProduct
  let admin: Visit
  let page: Page
  let caller: Caller
  beforeAll(async () => {
    it = await startPages()
    ;[admin, caller] = await Promise.all([it.visit('admin', '/sign-in-providers'), it.as('admin')])
    page = admin.page
  }, startMs)
  afterAll(() => it.close())
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail' && admin) await shoot(page, `failed-providers-${Date.now()}`)
  })

  const list = async (path: string): Promise<Kept[]> =>
    (await caller.call<{ data: Kept[] }>('GET', path)).body.data
  const groupId = async (wanted: string) => (await list('/groups')).find(({ name }) => name === wanted)?.id

  describe('a sign-in provider', () => {
    const named = (label: string | RegExp) => field(page, 'Sign-in provider', label)
    const rule = (at: number) => ({
      value: page.getByRole('textbox', { name: 'Value' }).nth(at),
      group: page.getByRole('combobox', { name: 'Group' }).nth(at),
    })
    const add = () => press(button(page, 'Add provider'))
    const addRule = async (at: number) => {
      await press(button(page, 'Map a value to a group'))
      await rule(at).value.and(page.locator(':focus')).waitFor()
    }

    test('is refused field by field, and nothing that was typed is lost', async () => {
      await page.getByText('There is no provider yet.').waitFor()
      await page.getByRole('link', { name: 'New provider' }).click()
      await heading(page, 'New sign-in provider').waitFor()
      await add()
      await expectRefused(named(/^Name/), 'must not be blank')
      await type(named(/^Name/), 'Corporate')
      await type(named('Client id'), 'hall pass')
      await type(named('Client secret'), 'provider-secret')
      await type(named('Issuer'), 'login.example.com')
      await add()
      await expectRefused(named('Issuer'), 'must be the URL of an issuer')
      await type(named('Issuer'), 'https://login.example.com')
      await add()
      await expectRefused(named('Client id'), 'must be visible ASCII characters')
      await type(named('Client id'), 'hallpass')
      await type(named('Scopes'), 'email profile')
      await add()
      await expectRefused(named('Scopes'), 'must name openid')
      await type(named('Scopes'), 'openid email profile groups')
      await expectAccessible(page)
      expect(await named('Client secret').inputValue()).toBe('provider-secret')
      expect(await list('/sign-in-providers')).toEqual([])
    })

    test('is refused where people are created of any domain, and where a rule is half written', async () => {
      await tabTo(named('Create people'))
      await page.keyboard.press('Space')
      await add()
      await expectRefused(named('Domains'), 'must name the domains')
      await type(named('Domains'), 'example.com\nno_domain')
      await add()
      await expectRefused(named('Domains'), 'must be a domain')
      expect(await named('Domains').inputValue()).toBe('example.com\nno_domain')
      await type(named('Domains'), 'example.com\nexample.org')
      await addRule(0)
      await add()
      await expectRefused(named('Claim that names groups'), 'must be named')
      await type(named('Claim that names groups'), 'groups')
      await add()
      await expectRefused(rule(0).value, 'must not be empty')
      await type(rule(0).value, 'Database people')
      await add()
      await expectRefused(rule(0).group, 'choose one')
      await page.getByRole('alert').getByText('Values and groups 1 group: choose one').waitFor()
      await expectAccessible(page)
      expect(await rule(0).value.inputValue()).toBe('Database people')
    })

    test('is added with its rules; a rule that is removed leaves the focus near', async () => {
      await rule(0).group.selectOption({ label: 'dba-team' })
      await addRule(1)
      await type(rule(1).value, 'Developers')
      await rule(1).group.selectOption({ label: 'engineering' })
      await addRule(2)
      await press(button(page, 'Remove entry 3'))
      await page.getByRole('heading', { name: 'Who gets in' }).and(page.locator(':focus')).waitFor()
      await add()
      await heading(page, 'Sign-in providers').waitFor()
      await page.getByRole('link', { name: 'Corporate' }).waitFor()
      await expectNowhere(page, 'provider-secret')
      expect(await list('/sign-in-providers')).toMatchObject([
        {
          name: 'Corporate',
          issuer: 'https://login.example.com',
          client_id: 'hallpass',
          has_client_secret: true,
          scopes: ['openid', 'email', 'profile', 'groups'],
          create_identities: true,
          allowed_email_domains: ['example.com', 'example.org'],
          group_claim: 'groups',
          group_mappings: [
            { value: 'Database people', group_id: await groupId('dba-team') },
            { value: 'Developers', group_id: await groupId('engineering') },
          ],
          enabled: true,
        },
      ])
    })

    test('keeps its secret when it is changed, unseen', async () => {
      await page.getByRole('link', { name: 'Corporate' }).click()
      await heading(page, 'Corporate').waitFor()
      await expectNowhere(page, 'provider-secret')
      expect(await named('Issuer').getAttribute('readonly')).not.toBeNull()
      await press(button(page, 'Remove Developers'))
      await tabTo(named('Enabled'))
      await page.keyboard.press('Space')
      await press(button(page, 'Save provider'))
      await page.getByText('Saved.', { exact: true }).first().waitFor()
      expect(await list('/sign-in-providers')).toMatchObject([
        { has_client_secret: true, enabled: false, group_mappings: [{ value: 'Database people' }] },
      ])
    })

    test('is not overwritten unawares', async () => {
      const [before] = await list('/sign-in-providers')
      const path = `/sign-in-providers/${before?.id ?? ''}`
      const answered = ['id', 'has_client_secret', 'created_at', 'updated_at']
      const input = Object.fromEntries(
        Object.entries(before ?? {}).filter(([key]) => !answered.includes(key)),
      )
      expect((await caller.call('PUT', path, { ...input, client_id: 'hallpass-2' })).status).toBe(200)
      await type(named(/^Name/), 'Head office')
      await press(button(page, 'Save provider'))
      const conflict = page.getByRole('alert').filter({ hasText: 'Somebody else has saved this' })
      await conflict.waitFor()
      await press(button(page, 'See what they changed'))
      await conflict.getByText('They changed: client id.').waitFor()
      expect(await named(/^Name/).inputValue()).toBe('Head office')
      await press(button(page, 'Save mine over it'))
      await heading(page, 'Head office').waitFor()
      expect(await list('/sign-in-providers')).toMatchObject([{ name: 'Head office', client_id: 'hallpass' }])
    })

    test('a second one for the same issuer and client is refused; the first is deleted after one more question', async () => {
      await page.goto(`${it.url}/sign-in-providers/new`)
      await heading(page, 'New sign-in provider').waitFor()
      await type(named(/^Name/), 'Head office')
      await type(named('Issuer'), 'https://elsewhere.example.com')
      await type(named('Client id'), 'hallpass')
      await add()
      await expectRefused(named(/^Name/), 'is taken')
      const [kept] = await list('/sign-in-providers')
      await page.goto(`${it.url}/sign-in-providers/${kept?.id ?? ''}`)
      await confirm(button(page, 'Delete'), 'Delete')
      await page.getByText('There is no provider yet.').waitFor()
      expect(await list('/sign-in-providers')).toEqual([])
    })
  })

  describe('an issuer that vouches for a machine', () => {
    const named = (label: string | RegExp) => field(page, 'Credential', label)
    const make = () => press(button(page, 'Make credential'))

    test('is refused without an audience and a subject, and where it is no address', async () => {
      const { id } = await it.as('ci-bot')
      await page.goto(`${it.url}/identities/${id}`)
      await page.getByRole('form', { name: 'Credential' }).waitFor()
      await tabTo(named('Type'))
      await named('Type').selectOption('federated')
      await make()
      await expectRefused(named('Issuer'), 'must not be empty')
      await type(named('Issuer'), 'token.actions.example.com')
      await make()
      await expectRefused(named('Audience'), 'must not be empty')
      await type(named('Audience'), 'hallpass')
      await type(named('Subject'), 'repo:example/builds:ref:refs/heads/main')
      await make()
      await expectRefused(named('Issuer'), 'must be a URL')
      expect(await named('Subject').inputValue()).toBe('repo:example/builds:ref:refs/heads/main')
      expect(await list(`/identities/${id}/credentials`)).toEqual([])
      await expectAccessible(page)
    })

    test('is kept, once', async () => {
      const { id } = await it.as('ci-bot')
      const fill = async () => {
        await type(named('Issuer'), 'https://token.actions.example.com')
        await type(named('Audience'), 'hallpass')
        await type(named('Subject'), 'repo:example/builds:ref:refs/heads/main')
        await make()
      }
      await fill()
      await page
        .getByRole('row')
        .filter({ hasText: 'repo:example/builds:ref:refs/heads/main of https://token.actions.example.com' })
        .waitFor()
      expect(await list(`/identities/${id}/credentials`)).toMatchObject([
        {
          type: 'federated',
          issuer: 'https://token.actions.example.com',
          audience: 'hallpass',
          subject: 'repo:example/builds:ref:refs/heads/main',
        },
      ])
      await tabTo(named('Type'))
      await named('Type').selectOption('federated')
      await fill()
      await expectRefused(named('Subject'), 'is taken')
      expectCalm(admin)
    })
  })
})
