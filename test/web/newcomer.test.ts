import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { expectAccessible, hasBrowser, phone, shoot, slow, startMs, startPages } from '../setup/browser.ts'
import type { PagesProduct } from '../setup/browser.ts'
import { eventually, submit } from '../setup/product.ts'

const long = 'Averylongnamewithoutanyspace'.repeat(6)
const arabic = 'وصول للقراءة فقط'

/** How much wider than its window a page is. */
const overflowOf = (page: Page) =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')

describe.skipIf(!hasBrowser)('whoever comes without having read anything', slow, () => {
  let it: PagesProduct
  let template: Record<string, unknown> & { id: string }
  let request: { id: string }
  beforeAll(async () => {
    it = await startPages()
    const admin = await it.as('admin')
    template = await it.template({
      name: long,
      description: 'line\n'.repeat(200),
      custom_fields: [{ label: arabic, type: 'multi_select', options: [long, arabic] }],
    })
    const { app_id } = template as unknown as { app_id: string }
    const mapping = { name: long, claim: 'roles', value: long, privilege_level: 'critical' }
    expect((await admin.call('POST', `/applications/${app_id}/mappings`, mapping)).status).toBe(201)
    request = await submit(await it.as('alice'), template.id, { justification: arabic.repeat(40) })
  }, startMs)
  afterAll(() => it.close())

  test('sees on a phone that something waits, and who they are', async () => {
    const { page } = await it.visit('bob', '/request-access', phone)
    const menu = page.getByRole('button', { name: 'Menu 1 to decide' })
    await menu.waitFor()
    await menu.tap()
    await page.getByText('Signed in as Bob').waitFor()
    await expectAccessible(page)
    await menu.tap()
    const tabs = page.getByRole('list', { name: 'Access requests' })
    expect(await tabs.getByRole('link').allTextContents()).toEqual([
      'Request access',
      'My requests',
      'Approvals1 waiting',
    ])
    const hidden = `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)`
    expect(await page.evaluate(`${hidden}(document.querySelector('[aria-label="Access requests"]'))`)).toBe(0)
    await page.getByRole('link', { name: 'Approvals' }).tap()
    await page.getByRole('link', { name: long }).tap()
    await page.getByRole('button', { name: 'Approve' }).waitFor()
    expect(await page.getByText('Ctrl+Enter').isVisible()).toBe(false)
  })

  test.each([
    ['a phone in the dark', { ...phone, colorScheme: 'dark' as const }],
    ['a desk', { viewport: { width: 1280, height: 800 } }],
    ['half a desk', { viewport: { width: 860, height: 800 } }],
  ])('has names without a space and other scripts inside the window: %s', async (_, options) => {
    const { page } = await it.visit('admin', '/request-access', options)
    for (const path of [
      '/request-access',
      `/request-access/${template.id}`,
      `/requests/${request.id}`,
      `/templates/${template.id}`,
      `/applications/${String(template['app_id'])}`,
      '/history',
    ]) {
      await page.goto(`${it.url}${path}`)
      await page
        .getByText(long)
        .or(page.locator(`[value=${long}]`))
        .first()
        .waitFor({ state: 'attached' })
      await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })
      await eventually(`${path} to be no wider than the window`, async () => (await overflowOf(page)) <= 0)
    }
  })

  test('finds who had access to what, by days, and nothing that was never granted', async () => {
    const bob = await it.as('bob')
    await bob.call('POST', `/access-requests/${request.id}/approve`, {})
    const { page } = await it.visit('admin', '/history')
    const today = await page.evaluate<string>(`new Date().toLocaleDateString('sv')`)
    await page.getByLabel('Held to').fill('2001-01-01')
    await page.getByText('No request fits these filters.').waitFor()
    await page.getByLabel('Held from').fill(today)
    await page.getByLabel('Held to').fill(today)
    await page.getByRole('link', { name: long }).waitFor()
    expect(new URL(page.url()).searchParams.get('held_to')).toBe(today)
    await expectAccessible(page)
    await shoot(page, 'history-held')
    await page.goto(`${it.url}/history?held_from=nonsense`)
    await page.getByText('The request is not valid').waitFor()
  })

  test('is told how a person whom they added gets in', async () => {
    const { page } = await it.visit('admin', '/identities/new')
    await page.getByLabel('Name').fill('Frank')
    await page.getByLabel('E-mail address').fill('frank@example.com')
    await page.getByRole('button', { name: 'Create identity' }).click()
    await page.getByText('npm run -s sign-in-link -- frank@example.com').waitFor()
    await expectAccessible(page)
  })
})
