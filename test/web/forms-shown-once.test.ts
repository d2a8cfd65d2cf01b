import { generateKeyPairSync } from 'node:crypto'

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
  takeShownOnce,
  type,
} from '../setup/forms.ts'
import { callerOf } from '../setup/product.ts'
import type { Caller } from '../setup/product.ts'

type List<Item> = { data: Item[] }

describe.skipIf(!hasBrowser)('what is kept, and shown once', slow, () => {
  let it: PagesProduct
  let admin: Visit
  let page: Page
  let caller: Caller
  beforeAll(async () => {
    it = await startPages()
    ;[admin, caller] = await Promise.all([it.visit('admin', '/secrets'), it.as('admin')])
    page = admin.page
  }, startMs)
  afterAll(() => it.close())
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail' && admin) await shoot(page, `failed-once-${Date.now()}`)
  })

  const list = async <Item>(path: string): Promise<Item[]> =>
    (await caller.call<List<Item>>('GET', path)).body.data

  async function open(path: string, title: string): Promise<void> {
    await page.goto(`${it.url}${path}`)
    await heading(page, title).waitFor()
    await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })
  }

  describe('a secret', () => {
    const named = (label: string | RegExp) => field(page, 'Secret', label)
    const secrets = () =>
      list<{ name: string; hosts: string[]; created_at: string; updated_at: string }>('/secrets')

    test('is refused at the field that is wrong, one after the other', async () => {
      await heading(page, 'Secrets').waitFor()
      await press(button(page, 'Keep secret'))
      await expectRefused(named('Name'), 'must not be empty')
      await type(named('Name'), '9 lives')
      await type(named('Value'), 'abc')
      await press(button(page, 'Keep secret'))
      await expectRefused(named('Value'), 'must have at least 4 characters')
      await type(named('Value'), 'xoxb-first')
      await press(button(page, 'Keep secret'))
      await expectRefused(named('Name'), 'a letter first')
      expect(await named('Value').inputValue()).toBe('xoxb-first')
      await type(named('Name'), 'SLACK_WEBHOOK')
      await type(named('Hosts'), 'not a host')
      await press(button(page, 'Keep secret'))
      await expectRefused(named('Hosts'), 'must be host')
      expect(await secrets()).toEqual([])
    })

    test('is kept, and its value is nowhere to be read', async () => {
      await type(named('Hosts'), 'hooks.example.com')
      await press(button(page, 'Keep secret'))
      await page.getByRole('row').filter({ hasText: 'SLACK_WEBHOOK' }).waitFor()
      await named('Name').and(page.locator(':focus')).waitFor()
      await expectNowhere(page, 'xoxb-first')
      expect(await secrets()).toMatchObject([{ name: 'SLACK_WEBHOOK', hosts: ['hooks.example.com'] }])
      expect(JSON.stringify(await secrets())).not.toContain('xoxb')
    })

    test('is replaced: the hosts stay unless somebody changes them', async () => {
      const [before] = await secrets()
      await press(button(page, 'Replace SLACK_WEBHOOK'))
      await named('Value').and(page.locator(':focus')).waitFor()
      await press(button(page, 'Replace secret'))
      await expectRefused(named('Value'), 'must have at least 4 characters')
      await type(named('Value'), 'xoxb-second')
      await press(button(page, 'Replace secret'))
      await page.getByRole('heading', { name: 'Keep a secret' }).waitFor()
      await expectNowhere(page, 'xoxb-second')
      const [after] = await secrets()
      expect(after).toMatchObject({ hosts: ['hooks.example.com'], created_at: before?.created_at })
      expect(after?.updated_at).not.toBe(before?.updated_at)
    })

    test('is deleted, and the focus does not get lost with its row', async () => {
      await confirm(button(page, 'Delete SLACK_WEBHOOK'), 'Delete SLACK_WEBHOOK')
      await page.getByText('There is no secret yet.').waitFor()
      await heading(page, 'Secrets').and(page.locator(':focus')).waitFor()
      expect(await secrets()).toEqual([])
    })
  })

  describe('a credential of a machine', () => {
    const named = (label: string | RegExp) => field(page, 'Credential', label)
    const row = (text: string) =>
      page.getByRole('table', { name: 'Credentials' }).getByRole('row').filter({ hasText: text })
    const made: string[] = []
    let machine_id = ''
    const credentials = () => list<{ id: string; type: string }>(`/identities/${machine_id}/credentials`)

    async function askForToken(secret: string): Promise<number> {
      const response = await fetch(`${it.url}/oauth/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${machine_id}:${secret}`).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      })
      return response.status
    }

    async function makeSecret(): Promise<string> {
      await press(button(page, 'Make credential'))
      const secret = await takeShownOnce(page, 'The client secret is made', 'Client secret')
      await expectNowhere(page, secret)
      made.push(secret)
      return secret
    }

    test('is a client secret that is shown once, and gets tokens', async () => {
      machine_id = (await it.as('ci-bot')).id
      await open(`/identities/${machine_id}`, 'CI bot')
      const secret = await makeSecret()
      expect(await askForToken(secret)).toBe(200)
      expect(await askForToken(`${secret.slice(0, -1)}!`)).toBe(401)
      await page.reload()
      await row('Client secret').waitFor()
      await expectNowhere(page, secret)
    })

    test('is rotated: two have names of their own, a third is refused, the first is deleted', async () => {
      await makeSecret()
      await row('Client secret').nth(1).waitFor()
      const [first, second] = await credentials()
      await press(button(page, 'Make credential'))
      await page.getByRole('alert').filter({ hasText: 'delete one of them first' }).waitFor()
      await button(page, 'Make credential').and(page.locator(':focus')).waitFor()
      await expectAccessible(page)
      const label = `Delete secret ${first?.id.slice(-8)}`
      await confirm(button(page, label), label)
      await row(first?.id.slice(-8) ?? '').waitFor({ state: 'detached' })
      await page.getByRole('heading', { name: 'Credentials' }).and(page.locator(':focus')).waitFor()
      expect(await credentials()).toMatchObject([{ id: second?.id }])
      expect(await Promise.all(made.map(askForToken))).toEqual([401, 200])
    })

    test('is refused where it is no public key, or more than one', async () => {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      await tabTo(named('Type'))
      await named('Type').selectOption('public_key')
      const key = named('Public key')
      const refusals: [text: string, words: string][] = [
        ['', 'is not JSON'],
        ['-----BEGIN PUBLIC KEY-----', 'is not JSON'],
        ['"key"', 'must be an object'],
        ['{}', 'kty: must be one of EC, RSA, OKP'],
        [JSON.stringify(pair.privateKey.export({ format: 'jwk' })), 'd: is not a known field'],
      ]
      for (const [text, words] of refusals) {
        await type(key, text)
        await press(button(page, 'Make credential'))
        await expectRefused(key, words)
      }
      await type(key, JSON.stringify(pair.publicKey.export({ format: 'jwk' })))
      await press(button(page, 'Make credential'))
      await row('Public key').waitFor()
      expect((await credentials()).map(({ type }) => type)).toEqual(['client_secret', 'public_key'])
    })

    test('is refused with an end that has passed', async () => {
      await named('Ends').fill('2020-01-01T10:00')
      await press(button(page, 'Make credential'))
      await expectRefused(named('Ends'), 'must be in the future')
      expect(await credentials()).toHaveLength(2)
    })
  })

  describe('a personal access token', () => {
    const named = (label: string | RegExp) => field(alice.page, 'Access token', label)
    let alice: Visit

    test('is refused without a name, and without a scope', async () => {
      alice = await it.visit('alice', '/access-tokens')
      await alice.page.getByText('You have no access token.').waitFor()
      await press(button(alice.page, 'Make token'))
      await expectRefused(named('Name'), 'must not be blank')
      await type(named('Name'), 'Reporting')
      await tabTo(named('read'))
      await alice.page.keyboard.press('Space')
      await press(button(alice.page, 'Make token'))
      await named('read').and(alice.page.locator(':focus')).waitFor()
      await alice.page.getByRole('alert').filter({ hasText: 'Scopes: must not be empty' }).waitFor()
      await expectAccessible(alice.page)
    })

    test('is shown once, does what its scopes say and no more, until it is removed', async () => {
      await tabTo(named('read'))
      await alice.page.keyboard.press('Space')
      await press(button(alice.page, 'Make token'))
      const token = await takeShownOnce(alice.page, 'The token is made', 'Token')
      await alice.page.getByRole('row').filter({ hasText: 'Reporting' }).waitFor()
      await expectNowhere(alice.page, token)
      const call = callerOf(it.url, token)
      expect((await call('GET', '/me')).body).toMatchObject({ email: 'alice@example.com' })
      expect((await call('POST', '/access-requests', {})).body).toMatchObject({ code: 'forbidden' })
      await confirm(button(alice.page, 'Remove Reporting'), 'Remove Reporting')
      await alice.page.getByText('You have no access token.').waitFor()
      expect((await call('GET', '/me')).status).toBe(401)
      expectCalm(alice)
    })
  })

  describe('a SCIM token', () => {
    const named = (label: string | RegExp) => field(page, 'SCIM token', label)
    const askScim = async (token: string) =>
      (await fetch(`${it.url}/scim/v2/Users`, { headers: { authorization: `Bearer ${token}` } })).status

    test('is shown once and lets a provider in; its name is taken from then on', async () => {
      await open('/scim-tokens', 'SCIM')
      await press(button(page, 'Make token'))
      await expectRefused(named('Name'), 'must not be blank')
      await type(named('Name'), 'Corporate')
      await press(button(page, 'Make token'))
      const token = await takeShownOnce(page, 'The token is made', 'Token')
      await expectNowhere(page, token)
      expect(await askScim(token)).toBe(200)
      await type(named('Name'), 'Corporate')
      await press(button(page, 'Make token'))
      await page.getByRole('alert').filter({ hasText: 'There is one with that name already.' }).waitFor()
      await named('Name').and(page.locator(':focus')).waitFor()
      await page.getByText('is taken').waitFor()
      await confirm(button(page, 'Remove Corporate'), 'Remove Corporate')
      await page.getByText('no provider can change anything here').waitFor()
      expect(await askScim(token)).toBe(401)
    })

    test('a group is handed over to the provider, and taken back', async () => {
      await tabTo(page.getByLabel('Hand a group over'))
      await page.getByLabel('Hand a group over').selectOption({ label: 'engineering' })
      await press(button(page, 'Hand over'))
      await page.getByRole('row').filter({ hasText: 'Handed over by an admin' }).waitFor()
      expect(await list('/scim-groups')).toMatchObject([{ name: 'engineering', is_linked: true }])
      await confirm(button(page, 'Take engineering back'), 'Take engineering back')
      await page.getByRole('row').filter({ hasText: 'engineering' }).waitFor({ state: 'detached' })
      expect(await list('/scim-groups')).toEqual([])
    })
  })

  describe('a signing key', () => {
    const keys = async (): Promise<{ kid: string; state: string }[]> =>
      (await (await page.request.get(`${it.url}/api/v1/signing-keys`)).json()).data
    const published = async (): Promise<string[]> => {
      const { keys } = (await (await fetch(`${it.url}/.well-known/jwks.json`)).json()) as List<never> & {
        keys: { kid: string }[]
      }
      return keys.map(({ kid }) => kid)
    }

    test('is changed soon: the next one is shown to everybody first, and another try makes no third', async () => {
      await open('/signing-keys', 'Signing keys')
      for (let round = 0; round < 2; round++) {
        const answered = page.waitForResponse(`${it.url}/api/v1/signing-keys/rotate`)
        await press(button(page, 'Change the key soon'))
        await answered
        await page.getByText('Signs next').waitFor()
        await button(page, 'Change the key soon').and(page.locator(':focus')).waitFor()
      }
      await expectAccessible(page)
      expect((await keys()).map(({ state }) => state)).toEqual(['signing', 'published'])
      expect(await published()).toHaveLength(2)
    })

    test('is taken away in an emergency, and the next one signs', async () => {
      const [old, next] = await keys()
      const label = `Take ${old?.kid.slice(0, 6)} away`
      await press(button(page, label))
      await page.getByRole('dialog').waitFor()
      await page.keyboard.press('Escape')
      await page.locator('dialog').waitFor({ state: 'detached' })
      await button(page, label).and(page.locator(':focus')).waitFor()
      expect(await published()).toContain(old?.kid)
      await confirm(button(page, label), label)
      await page.getByText('Taken away').waitFor()
      expect(await keys()).toMatchObject([{ state: 'removed' }, { kid: next?.kid, state: 'signing' }])
      expect(await published()).toEqual([next?.kid])
      expectCalm(admin)
    })
  })
})
