import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { startPages, program } from '../setup/browser.ts'
import type { PagesProduct } from '../setup/browser.ts'

describe.skipIf(program === undefined)('the pages in a browser', () => {
  let it: PagesProduct
  beforeAll(async () => {
    it = await startPages()
  })
  afterAll(() => it.close())

  test('are shown to somebody who is signed in, without a complaint of the policy', async () => {
    const { page, complaints } = await it.visit('alice')
    await page.screenshot({ path: '/tmp/one.png' })
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.screenshot({ path: '/tmp/one.png' })
    expect(complaints).toEqual([])
  })
})
