import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createFirstAdminLink, createPersonLink } from '../../db/sign-in/links.ts'
import { expectAccessible, hasBrowser, shoot, slow, startMs, startPages } from '../setup/browser.ts'
import type { PagesProduct, Visit } from '../setup/browser.ts'

/** The browser tells of every answer that is a refusal; these tests provoke them. */
const withoutRefusals = ({ complaints }: Visit) =>
  complaints.filter((text) => !text.includes('Failed to load resource'))

describe.skipIf(!hasBrowser)('signing in', slow, () => {
  let it: PagesProduct
  beforeAll(async () => {
    it = await startPages()
  }, startMs)
  afterAll(() => it.close())

  test('by a one-time link: once, by a click, and the code leaves the address bar', async () => {
    const code = await createPersonLink(it.sql, 'alice@example.com')
    const first = await it.visit('nobody', `/sign-in#code=${code}`)
    await first.page.getByRole('button', { name: 'Sign in' }).waitFor()
    expect(first.page.url()).not.toContain('code')
    await expectAccessible(first.page)
    await first.page.getByRole('button', { name: 'Sign in' }).click()
    await first.page.getByRole('heading', { name: 'Request access' }).waitFor()
    const second = await it.visit('nobody', `/sign-in#code=${code}`)
    await second.page.getByRole('button', { name: 'Sign in' }).click()
    await second.page.getByText('This link is not valid, has been used, or has expired').waitFor()
    await expectAccessible(second.page)
    expect([...withoutRefusals(first), ...withoutRefusals(second)]).toEqual([])
  })

  test('ends where somebody signs out: the pages show nothing any more, not even by going back', async () => {
    const visit = await it.visit('alice', '/my-requests')
    const { page } = visit
    await page.getByText('You have not asked for anything yet.').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in to Hallpass' }).waitFor()
    await page.goBack()
    await page.getByRole('heading', { name: 'Sign in to Hallpass' }).waitFor()
    expect(await page.getByText('My requests').count()).toBe(0)
    expect(withoutRefusals(visit)).toEqual([])
  })

  test('is asked for in place when the session ends elsewhere, and leads back to where one was', async () => {
    const { page } = await it.visit('alice', '/my-requests')
    await page.getByText('You have not asked for anything yet.').waitFor()
    await page.getByLabel('State').selectOption('denied')
    await page.getByText('No request is in this state.').waitFor()
    await it.sql`delete from sessions`
    await page.getByRole('heading', { name: 'Sign in to Hallpass' }).waitFor()
    await page.getByRole('button', { name: 'Alice alice@example.com' }).click()
    await page.getByText('No request is in this state.').waitFor()
  })

  test('tells what a provider refused, and nothing that somebody wrote into the address', async () => {
    const { page } = await it.visit('nobody', '/sign-in?error=not_registered')
    await page.getByRole('alert').waitFor()
    await expectAccessible(page)
    await shoot(page, 'sign-in-refused')
    const forged = await it.visit('nobody', '/sign-in?error=%3Cb%3Ecall%20555-1234%3C/b%3E')
    await forged.page.getByRole('heading', { name: 'Sign in to Hallpass' }).waitFor()
    expect(await forged.page.getByText('555-1234').count()).toBe(0)
  })

  test('is dark where the system is, and stays as it was chosen', async () => {
    const { page } = await it.visit('bob', '/approvals', { colorScheme: 'dark' })
    await page.getByText('Nothing waits for you.').waitFor()
    const scheme = () => page.locator('html').getAttribute('data-mantine-color-scheme')
    expect(await scheme()).toBe('dark')
    await expectAccessible(page)
    await shoot(page, 'approvals-empty-dark')
    await page.getByRole('button', { name: 'Light mode' }).click()
    await page.reload()
    await page.getByText('Nothing waits for you.').waitFor()
    expect(await scheme()).toBe('light')
  })

  test('an address that is none says so, and where to go', async () => {
    const { page } = await it.visit('bob', '/nothing/here')
    await page.getByText('There is nothing at this address.').waitFor()
    await expectAccessible(page)
    await page.getByRole('main').getByRole('link', { name: 'My requests' }).click()
    await page.getByRole('heading', { name: 'My requests' }).waitFor()
  })

  test('makes the first admin, by the link that a start prints', async () => {
    await it.sql`update groups set permissions = '{}' where name = 'admins'`
    const code = await createFirstAdminLink(it.sql)
    const { page } = await it.visit('nobody', `/welcome#code=${code}`)
    await page.getByLabel('Your e-mail address').fill('root@example.com')
    await page.getByLabel('Your name').fill('Root')
    await expectAccessible(page)
    await shoot(page, 'welcome')
    await page.getByRole('button', { name: 'Become the admin' }).click()
    await page.getByRole('heading', { name: 'Request access' }).waitFor()
    expect(await it.sql`select 1 from identities where email = 'root@example.com'`).toHaveLength(1)
    const without = await it.visit('nobody', '/welcome')
    await without.page.getByText('This page needs the whole link.').waitFor()
    await expectAccessible(without.page)
  })
})
