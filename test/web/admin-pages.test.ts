import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { expectAccessible, hasBrowser, phone, shoot, slow, startMs, startPages } from '../setup/browser.ts'
import type { PagesProduct, Visit } from '../setup/browser.ts'

const lists = [
  'templates',
  'scripts',
  'integrations',
  'secrets',
  'history',
  'identities',
  'groups',
  'applications',
  'sign-in-providers',
  'signing-keys',
  'scim-tokens',
  'access-tokens',
]
const forms = ['templates', 'identities', 'groups', 'applications', 'sign-in-providers', 'scripts']

describe.skipIf(!hasBrowser)('every page of admins, on a phone in the dark', slow, () => {
  let it: PagesProduct
  let admin: Visit
  beforeAll(async () => {
    it = await startPages()
    admin = await it.visit('admin', '/templates', { ...phone, colorScheme: 'dark' })
  }, startMs)
  afterAll(() => it.close())

  async function look(path: string): Promise<void> {
    const { page } = admin
    await page.goto(`${it.url}/${path}`)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
    await expectAccessible(page)
    await shoot(page, `admin-phone-${path.replaceAll(/[^a-z]+/g, '-')}`)
    expect(admin.complaints).toEqual([])
  }

  test.each(lists)('/%s can be read, and is no wider than the screen', look)
  test.each(forms)('/%s/new can be filled in', (path) => look(`${path}/new`))

  test.each([
    ['templates', 'access-request-templates'],
    ['scripts', 'scheduled-tasks'],
    ['identities', 'identities'],
    ['groups', 'groups'],
    ['applications', 'applications'],
  ])('one of /%s can be edited', async (path, resource) => {
    const caller = await it.as('admin')
    const { body } = await caller.call<{ data: { id: string }[] }>('GET', `/${resource}`)
    for (const { id } of body.data.slice(-1)) await look(`${path}/${id}`)
  })

  test.each(['runs', 'deliveries', 'versions'])('the %s of a script can be read', async (part) => {
    const caller = await it.as('admin')
    const { body } = await caller.call<{ data: { id: string }[] }>('GET', '/scheduled-tasks')
    await look(`scripts/${body.data[0]?.id ?? ''}?part=${part}`)
  })
})
