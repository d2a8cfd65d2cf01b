import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { expectAccessible, hasBrowser, phone, shoot, slow, startMs, startPages } from '../setup/browser.ts'
import type { PagesProduct } from '../setup/browser.ts'

describe.skipIf(!hasBrowser)('the identities of a company that somebody leaves', slow, () => {
  let it: PagesProduct
  beforeAll(async () => {
    it = await startPages()
  }, startMs)
  afterAll(() => it.close())

  test('show no orphan while every machine has its owner, and name each one after that', async () => {
    const { page, complaints } = await it.visit('admin', '/identities', phone)
    await page.getByRole('row', { name: /ci-bot/ }).waitFor()
    expect(await page.getByText('Orphaned').count()).toBe(0)
    expect(await page.getByText('One machine is orphaned').count()).toBe(0)

    const admin = await it.as('admin')
    const alice = await it.as('alice')
    const left = await admin.call('PATCH', `/identities/${alice.id}`, { status: 'disabled' })
    expect(left.status).toBe(200)
    await page.reload()
    await page.getByText('One machine is orphaned').waitFor()
    await page.getByRole('searchbox', { name: 'Search' }).fill('orphaned')
    await page.getByText('1 of 6 found').waitFor()
    await page.getByRole('row', { name: /ci-bot.*Orphaned/ }).waitFor()
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
    await expectAccessible(page)
    await shoot(page, 'orphaned')
    expect(complaints).toEqual([])
  })
})
