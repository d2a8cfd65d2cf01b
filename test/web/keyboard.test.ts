import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { expectAccessible, hasBrowser, slow, startMs, startPages, tabTo } from '../setup/browser.ts'
import type { PagesProduct, Visit } from '../setup/browser.ts'

describe.skipIf(!hasBrowser)('with nothing but a keyboard', slow, () => {
  let it: PagesProduct
  let alice: Visit
  let bob: Visit
  beforeAll(async () => {
    it = await startPages()
    ;[alice, bob] = await Promise.all([it.visit('alice', '/'), it.visit('bob', '/approvals')])
  }, startMs)
  afterAll(() => it.close())

  test('alice skips the navigation, finds a template, and asks for it', async () => {
    const { page } = alice
    await page.getByRole('link', { name: 'Request Database read-only access' }).waitFor()
    await tabTo(page.getByLabel('Search'))
    await page.keyboard.type('read-only')
    await tabTo(page.getByRole('link', { name: 'Request Database read-only access' }))
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Submit request' }).waitFor()
    await tabTo(page.getByRole('radio', { name: '1 hour' }))
    await page.keyboard.press('ArrowDown')
    expect(await page.getByRole('radio', { name: '4 hours' }).isChecked()).toBe(true)
    await tabTo(page.getByLabel('Why do you need it?'))
    await page.keyboard.type('Numbers for the report.')
    await tabTo(page.getByRole('button', { name: 'Submit request' }))
    await page.keyboard.press('Enter')
    await page.getByText('Waits for').waitFor()
  })

  test('bob goes through the list by arrow keys, and approves by Ctrl+Enter', async () => {
    const { page } = bob
    const waiting = page.getByRole('link', { name: /Database read-only access/ })
    await waiting.waitFor()
    await tabTo(waiting)
    await page.keyboard.press('Enter')
    const chosen = page.getByRole('heading', { level: 2, name: 'Database read-only access' })
    await chosen.and(page.locator(':focus')).waitFor()
    await tabTo(page.getByLabel('Comment'))
    await page.keyboard.type('Until tonight.')
    await page.keyboard.press('Control+Enter')
    await page.getByText('Nothing waits for you.').waitFor()
    expect(bob.complaints).toEqual([])
  })

  test('alice is asked before she gives it back; Escape leaves everything as it is', async () => {
    const { page } = alice
    const giveBack = page.getByRole('button', { name: 'Give back' })
    await giveBack.waitFor()
    await tabTo(giveBack)
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Give this access back?' })
    await dialog.waitFor()
    await expectAccessible(page)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await giveBack.and(page.locator(':focus')).waitFor()
    await page.keyboard.press('Enter')
    await tabTo(dialog.getByRole('button', { name: 'Give back' }))
    await page.keyboard.press('Enter')
    await page.getByText('Revoked', { exact: true }).waitFor()
    expect(alice.complaints).toEqual([])
  })
})
