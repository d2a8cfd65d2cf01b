import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { expectAccessible, hasBrowser, slow, startMs, startPages } from '../setup/browser.ts'
import type { PagesProduct, Visit } from '../setup/browser.ts'
import { eventually } from '../setup/product.ts'

const main = (page: Page) => page.getByRole('main')
const heading = (page: Page, name: string) => main(page).getByRole('heading', { level: 1, name })
const hasFocus = (target: Locator) => target.and(target.page().locator(':focus')).waitFor()

/** What has the focus where nobody can see it: without a ring, or outside the window. Empty: one sees it. */
const unseen = `(() => {
  const element = document.activeElement
  if (element === document.body) return ''
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element)
  const { top, bottom, left, right } = element.getBoundingClientRect()
  const hasRing = (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) || boxShadow !== 'none'
  const isInside = bottom > 0 && top < innerHeight && right > 0 && left < innerWidth
  return hasRing && isInside ? '' : element.outerHTML.slice(0, 200)
})()`

/** Goes there by Tab, or by `key`, and sees at each step where the focus is. */
async function reach(target: Locator, key = 'Tab'): Promise<void> {
  const page = target.page()
  await target.waitFor({ state: 'attached' })
  for (let step = 0; step < 80; step++) {
    if ((await target.and(page.locator(':focus')).count()) > 0) return
    await page.keyboard.press(key)
    expect(await page.evaluate(unseen)).toBe('')
  }
  throw new Error(`${key} does not lead to ${String(target)}`)
}

async function press(target: Locator, key = 'Enter'): Promise<void> {
  await reach(target)
  await target.page().keyboard.press(key)
}

async function write(target: Locator, text: string): Promise<void> {
  await reach(target)
  await target.page().keyboard.type(text)
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const link = (page: Page, name: string | RegExp) => page.getByRole('link', { name })

describe.skipIf(!hasBrowser)('with nothing but a keyboard', slow, () => {
  let it: PagesProduct
  let alice: Visit
  let bob: Visit
  beforeAll(async () => {
    it = await startPages()
    await it.template({
      name: 'Production shell',
      custom_fields: [
        { label: 'Host', type: 'text', required: true },
        { label: 'Steps', type: 'textarea' },
        { label: 'Environment', type: 'select', required: true, options: ['staging', 'production'] },
        { label: 'Tools', type: 'multi_select', options: ['psql', 'strace'] },
        { label: 'Runbook read', type: 'checkbox', required: true },
      ],
    })
    ;[alice, bob] = await Promise.all([it.visit('nobody', '/'), it.visit('nobody', '/approvals')])
  }, startMs)
  afterAll(() => it.close())

  test('alice signs in, skips the navigation, and finds a template', async () => {
    const { page } = alice
    await press(button(page, 'Alice alice@example.com'))
    await hasFocus(heading(page, 'Request access'))
    alice.complaints.length = 0
    const skip = link(page, 'Skip to the content')
    await reach(skip, 'Shift+Tab')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    await hasFocus(page.getByLabel('Search'))
    await page.keyboard.type('shell')
    await page.getByText('1 of 2 found').waitFor()
    await press(link(page, 'Request Production shell'))
    await hasFocus(heading(page, 'Production shell'))
  })

  test('what is refused gets the focus; all five types of questions are answered', async () => {
    const { page } = alice
    const reason = page.getByLabel('Why do you need it?')
    await press(button(page, 'Submit request'))
    await hasFocus(reason)
    await page.keyboard.type('Numbers for the report.')
    await press(button(page, 'Submit request'))
    await hasFocus(page.getByLabel('Host'))
    alice.complaints.length = 0
    await page.keyboard.type('db-1')
    await reach(page.getByRole('radio', { name: '1 hour' }), 'Shift+Tab')
    await page.keyboard.press('ArrowDown')
    expect(await page.getByRole('radio', { name: '4 hours' }).isChecked()).toBe(true)
    await write(page.getByLabel('Steps'), 'First this.')
    await page.keyboard.press('Enter')
    await page.keyboard.type('Then that.')
    await press(page.getByLabel('Environment'), 'p')
    await press(page.getByLabel('strace'), 'Space')
    await press(page.getByLabel('Runbook read'), 'Space')
    await press(button(page, 'Submit request'))
    await hasFocus(heading(page, 'Production shell'))
    for (const text of ['db-1', 'Then that.', 'production', 'strace', '4 hours'])
      await page
        .getByText(text, { exact: text !== 'Then that.' })
        .first()
        .waitFor()
  })

  test('alice asks for another, by the tabs', async () => {
    const { page } = alice
    await reach(link(page, 'Request access'), 'Shift+Tab')
    await page.keyboard.press('Enter')
    await hasFocus(heading(page, 'Request access'))
    await press(link(page, 'Request Database read-only access'))
    await hasFocus(heading(page, 'Database read-only access'))
    await write(page.getByLabel('Why do you need it?'), 'To look.')
    await press(button(page, 'Submit request'))
    await page.getByText('Waits for').waitFor()
    expect(alice.complaints).toEqual([])
  })

  test('bob signs in where he was led, walks by arrow keys, and approves with a comment', async () => {
    const { page } = bob
    await press(button(page, 'Bob bob@example.com'), 'Space')
    await hasFocus(heading(page, 'Approvals'))
    bob.complaints.length = 0
    const [first, second] = [link(page, /^Production shell/), link(page, /^Database read-only access/)]
    await reach(first)
    await page.keyboard.press('ArrowDown')
    await hasFocus(second)
    await page.keyboard.press('ArrowUp')
    await hasFocus(first)
    await page.keyboard.press('Enter')
    await hasFocus(page.getByRole('heading', { level: 2, name: 'Production shell' }))
    await write(page.getByLabel('Comment'), 'Until tonight.')
    await press(button(page, 'Approve'))
    await hasFocus(page.getByRole('heading', { level: 2, name: 'Database read-only access' }))
    expect(bob.complaints).toEqual([])
  })

  test('bob reads everything about the other, asks back, and denies it there', async () => {
    const { page } = bob
    await press(link(page, /^Everything about this request/))
    await hasFocus(heading(page, 'Database read-only access'))
    await write(page.getByLabel('Your message'), 'Which table?')
    await press(button(page, 'Send'))
    await page.getByRole('listitem').getByText('Which table?').waitFor()
    await hasFocus(button(page, 'Send'))
    await write(page.getByLabel('Your message'), 'Or all of them?')
    await page.keyboard.press('Control+Enter')
    await page.getByRole('listitem').getByText('Or all of them?').waitFor()
    await hasFocus(page.getByLabel('Your message'))
    const log = page.getByText('Log and result').first()
    await press(log)
    await page.locator('details pre').first().waitFor()
    await reach(page.getByLabel('Comment'), 'Shift+Tab')
    await page.keyboard.type('Ask the owner.')
    await press(button(page, 'Deny'))
    await page.getByText('Denied by bob@example.com').first().waitFor()
    await hasFocus(heading(page, 'Database read-only access'))
    expect(bob.complaints).toEqual([])
  })

  test('the last decision leaves bob at the heading of the list', async () => {
    const [page, asked] = [bob.page, await it.as('alice')]
    const { body } = await asked.call<{ data: { template_id: string; template_name: string }[] }>(
      'GET',
      '/access-requests?status=denied',
    )
    const answer = await asked.call('POST', '/access-requests', {
      template_id: body.data[0]?.template_id,
      requested_duration_mins: 60,
      justification: 'Once more.',
    })
    expect(answer.status).toBe(201)
    await reach(link(page, /^Approvals/), 'Shift+Tab')
    await page.keyboard.press('Enter')
    await press(main(page).getByRole('link', { name: /^Database read-only access/ }))
    await write(page.getByLabel('Comment'), 'Read only.')
    await page.keyboard.press('Control+Enter')
    await page.getByText('Nothing waits for you.').waitFor()
    await hasFocus(heading(page, 'Approvals'))
    expect(bob.complaints).toEqual([])
  })

  test('alice is asked before she gives it back; Tab stays in the dialog, Escape leaves everything as it is', async () => {
    const { page } = alice
    const giveBack = button(page, 'Give back').first()
    await reach(link(page, 'My requests'), 'Shift+Tab')
    await page.keyboard.press('Enter')
    await hasFocus(heading(page, 'My requests'))
    const dialog = page.getByRole('dialog', { name: 'Give this access back?' })
    await press(giveBack)
    await hasFocus(dialog.getByLabel('Comment'))
    await expectAccessible(page)
    const outside = `!document.activeElement.closest('dialog') && document.activeElement !== document.body`
    for (const key of [...Array<string>(6).fill('Tab'), ...Array<string>(6).fill('Shift+Tab')]) {
      await page.keyboard.press(key)
      expect([await page.evaluate(outside), await page.evaluate(unseen)]).toEqual([false, ''])
    }
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await hasFocus(giveBack)
    await page.keyboard.press('Space')
    await press(dialog.getByRole('button', { name: 'Leave it' }))
    await hasFocus(giveBack)
    await page.keyboard.press('Enter')
    await press(dialog.getByRole('button', { name: 'Give back' }))
    await main(page).getByRole('article').getByText('Revoked', { exact: true }).waitFor()
    await eventually('the focus to be somewhere', () =>
      page.evaluate<boolean>('document.activeElement !== document.body'),
    )
    expect(alice.complaints).toEqual([])
  })

  test('an admin filters History, opens what is found, and comes back to the same filters', async () => {
    const { page, complaints } = await it.visit('admin', '/templates')
    await reach(link(page, /^Access requests/), 'Shift+Tab')
    await page.keyboard.press('Enter')
    await hasFocus(heading(page, 'Request access'))
    await reach(link(page, 'History'), 'Shift+Tab')
    await page.keyboard.press('Enter')
    await hasFocus(heading(page, 'History'))
    await press(page.getByLabel('Status'), 'd')
    await page.waitForURL(/status=denied/)
    await write(page.getByLabel('Requester'), 'ALICE')
    await page.waitForURL(/requester=ALICE/)
    await write(page.getByLabel('Held from'), '01012001')
    await page.waitForURL(/held_from=2001-01-01/)
    await page.getByText('No request fits these filters.').waitFor()
    await reach(page.getByLabel('Held from'), 'Shift+Tab')
    for (const _ of 'mdy') await page.keyboard.press('Delete').then(() => page.keyboard.press('ArrowRight'))
    await eventually('the day to leave the address', async () => !page.url().includes('held_from'))
    await press(main(page).getByRole('link', { name: 'Database read-only access' }))
    await hasFocus(heading(page, 'Database read-only access'))
    await page.goBack()
    await page.getByText('Denied by bob@example.com').waitFor()
    expect(await page.getByLabel('Requester').inputValue()).toBe('ALICE')
    expect(complaints).toEqual([])
  })

  test('the menu of a narrow window opens, Escape closes it, and it leads where one wants', async () => {
    const { page, complaints } = await it.visit('admin', '/request-access', {
      viewport: { width: 390, height: 844 },
    })
    const menu = page.getByRole('button', { name: 'Menu' })
    await hasFocus(heading(page, 'Request access'))
    await reach(menu, 'Shift+Tab')
    await page.keyboard.press('Enter')
    expect(await menu.getAttribute('aria-expanded')).toBe('true')
    await reach(link(page, 'Templates'))
    await page.keyboard.press('Escape')
    await hasFocus(menu)
    expect(await link(page, 'Templates').isVisible()).toBe(false)
    await page.keyboard.press('Space')
    await press(button(page, 'Dark mode'), 'Space')
    await hasFocus(button(page, 'Light mode'))
    await reach(link(page, 'Templates'), 'Shift+Tab')
    await page.keyboard.press('Enter')
    await hasFocus(heading(page, 'Templates'))
    expect(await menu.getAttribute('aria-expanded')).toBe('false')
    expect(complaints).toEqual([])
    await reach(button(page, 'Sign out'), 'Shift+Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Sign in to Hallpass' }).waitFor()
  })
})
