import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { expectAccessible, phone, hasBrowser, shoot, slow, startMs, startPages } from '../setup/browser.ts'
import type { PagesProduct, Visit } from '../setup/browser.ts'
import { submit } from '../setup/product.ts'

/** No page of a test may leave a complaint of the browser behind, the policy's least of all. */
const expectCalm = (...visits: Visit[]) => expect(visits.flatMap(({ complaints }) => complaints)).toEqual([])

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name })

describe.skipIf(!hasBrowser)('alice asks and bob decides', slow, () => {
  let it: PagesProduct
  let alice: Visit
  let bob: Visit
  beforeAll(async () => {
    it = await startPages()
    await it.template({
      name: 'Production shell',
      description: 'A shell on production hosts, for incidents.',
      custom_fields: [
        { label: 'Host', type: 'text', required: true, placeholder: 'db-1' },
        { label: 'What you will do', type: 'textarea' },
        { label: 'Environment', type: 'select', required: true, options: ['staging', 'production'] },
        { label: 'Tools', type: 'multi_select', options: ['psql', 'strace'] },
        { label: 'I have read the runbook', type: 'checkbox', required: true },
      ],
    })
  }, startMs)
  afterAll(() => it.close())
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail')
      for (const visit of [alice, bob]) if (visit) await shoot(visit.page, `failed-${Date.now()}`)
  })

  test('nobody sees the sign-in, chooses alice, and is where the address led', async () => {
    alice = await it.visit('nobody', '/my-requests')
    const { page } = alice
    await page.getByRole('button', { name: 'Alice alice@example.com' }).waitFor()
    await expectAccessible(page)
    await shoot(page, 'sign-in')
    await page.getByRole('button', { name: 'Alice alice@example.com' }).click()
    await heading(page, 'My requests').waitFor()
    await page.getByText('You have not asked for anything yet.').waitFor()
    await expectAccessible(page)
    // The browser tells of the 401 by which the page learns that nobody is signed in.
    alice.complaints.length = 0
  })

  test('alice finds what she needs and is told at each field what is wrong', async () => {
    const { page } = alice
    await page.getByRole('link', { name: 'Request access' }).first().click()
    await page.getByLabel('Search').fill('incident shell')
    await page.getByText('1 of 2 found').waitFor()
    await expectAccessible(page)
    await shoot(page, 'catalogue')
    await page.getByRole('link', { name: 'Request Production shell' }).click()
    await heading(page, 'Production shell').waitFor()
    await page.getByRole('button', { name: 'Submit request' }).click()
    await page.getByText('must not be blank').waitFor()
    await page.getByLabel('Why do you need it?').and(page.locator(':focus')).waitFor()
    await page.getByLabel('Why do you need it?').fill('Incident 42: replication stopped.')
    await page.getByRole('button', { name: 'Submit request' }).click()
    await page.getByText('an answer is required').first().waitFor()
    await page.getByText('this box has to be ticked').waitFor()
    await expectAccessible(page)
    await shoot(page, 'form-errors')
    alice.complaints.length = 0
  })

  test('bob, who looks at an empty list, sees the request appear', async () => {
    bob = await it.visit('bob', '/approvals')
    await bob.page.getByText('Nothing waits for you.').waitFor()
    const { page } = alice
    await page.getByLabel('Host').fill('db-1')
    await page.getByLabel('What you will do').fill('Restart replication.')
    await page.getByLabel('Environment').selectOption('production')
    await page.getByLabel('psql').check()
    await page.getByLabel('I have read the runbook').check()
    await page.getByLabel('4 hours').check()
    await page.getByLabel('Ticket').fill('INC-42')
    await page.getByRole('button', { name: 'Submit request' }).click()
    await page.getByText('Told', { exact: true }).waitFor()
    await page.getByText('bob@example.com and dana@example.com', { exact: true }).waitFor()
    await bob.page.getByRole('link', { name: /Production shell/ }).waitFor()
    await bob.page.getByText('1 waiting').waitFor({ state: 'attached' })
    await expectAccessible(page)
    await shoot(page, 'detail-pending')
  })

  test('alice cannot ask for the same again meanwhile, and is told why', async () => {
    const { page } = alice
    await page.getByRole('link', { name: 'Request access' }).click()
    await page.getByRole('link', { name: 'Request Production shell' }).click()
    await page.getByText('There is a pending request for this already.').waitFor()
    expect(await page.getByRole('button', { name: 'Submit request' }).isDisabled()).toBe(true)
    await page.getByRole('link', { name: 'a pending request' }).click()
    await page.getByText('Waits for').waitFor()
  })

  test('bob reads everything that he needs, by keyboard alone, and asks back', async () => {
    const { page } = bob
    await page.getByRole('link', { name: /Production shell/ }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 2, name: 'Production shell' }).waitFor()
    for (const text of [
      'Incident 42',
      'roles = db-readonly',
      'Medium privilege',
      '4 hours',
      'INC-42',
      'psql',
    ])
      await page.getByText(text).first().waitFor()
    await page.getByText('This is their first request.').waitFor()
    await expectAccessible(page)
    await shoot(page, 'approvals')
    const discussion = await it.visit('bob', new URL(alice.page.url()).pathname)
    await discussion.page.getByLabel('Your message').fill('Which host first?')
    await discussion.page.getByLabel('Your message').press('Control+Enter')
    await alice.page.getByText('Which host first?').waitFor()
    await discussion.page.context().close()
    expectCalm(discussion)
  })

  test('bob approves with a comment by keyboard; alice sees it at once, counting down', async () => {
    const { page } = bob
    await page.getByRole('heading', { level: 2, name: 'Production shell' }).focus()
    await page.getByLabel('Comment').focus()
    await page.keyboard.type('Go ahead.')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByText('Nothing waits for you.').waitFor()
    await alice.page.getByText('Approved by bob@example.com').first().waitFor()
    await alice.page.getByText('Go ahead.').first().waitFor()
    await alice.page.getByRole('timer').waitFor()
    await expectAccessible(alice.page)
    await shoot(alice.page, 'detail-approved')
  })

  test('alice sees it among her requests, gives it back, and asks again with what she had written', async () => {
    const { page } = alice
    await page.getByRole('link', { name: 'My requests' }).click()
    await page.getByText('Yours for another').waitFor()
    await expectAccessible(page)
    await shoot(page, 'my-requests')
    await page.getByRole('button', { name: 'Give back' }).click()
    const dialog = page.getByRole('dialog', { name: 'Give this access back?' })
    await expectAccessible(page)
    await dialog.getByRole('button', { name: 'Give back' }).click()
    await page.getByText('Revoked', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'Ask again' }).click()
    await heading(page, 'Production shell').waitFor()
    expect(await page.getByLabel('Why do you need it?').inputValue()).toBe(
      'Incident 42: replication stopped.',
    )
    expect(await page.getByLabel('Host').inputValue()).toBe('db-1')
    expect(await page.getByLabel('4 hours').isChecked()).toBe(true)
  })

  test('alice cancels what she asked for, and bob sees it go', async () => {
    const { page } = alice
    await page.getByRole('button', { name: 'Submit request' }).click()
    await page.getByRole('button', { name: 'Cancel request' }).waitFor()
    await bob.page.getByRole('link', { name: /Production shell/ }).waitFor()
    await page.getByRole('button', { name: 'Cancel request' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel request' }).click()
    await page.getByText('Cancelled by alice@example.com').first().waitFor()
    await bob.page.getByText('Nothing waits for you.').waitFor()
    expectCalm(alice, bob)
  })

  test('a request of somebody else is shown as nothing that there is', async () => {
    const path = new URL(alice.page.url()).pathname
    const carol = await it.visit('carol', path)
    await carol.page.getByText('There is no such request, or you may not see it.').waitFor()
    await expectAccessible(carol.page)
  })

  test('a phone shows the same, list and request one after the other', async () => {
    await submit(await it.as('alice'), (await it.template({ name: 'Read replica' })).id)
    const visit = await it.visit('bob', '/approvals', { ...phone, colorScheme: 'dark' })
    const { page } = visit
    await page.getByRole('link', { name: /Read replica/ }).waitFor()
    await shoot(page, 'phone-approvals')
    await page.getByRole('link', { name: /Read replica/ }).tap()
    await page.getByRole('button', { name: 'Deny' }).waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
    await expectAccessible(page)
    await shoot(page, 'phone-approval')
    await page.getByRole('button', { name: 'Menu' }).tap()
    await page.getByRole('link', { name: 'My requests' }).waitFor()
    await expectAccessible(page)
    await shoot(page, 'phone-menu')
    await page.getByRole('button', { name: 'Menu' }).tap()
    await page.getByLabel('Comment').fill('Use the replica.')
    await page.getByRole('button', { name: 'Deny' }).tap()
    await page.getByText('Nothing waits for you.').waitFor()
    expectCalm(visit)
  })
})
