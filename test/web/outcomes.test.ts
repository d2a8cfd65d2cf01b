import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { expectAccessible, hasBrowser, slow, startMs, startPages } from '../setup/browser.ts'
import type { PagesProduct } from '../setup/browser.ts'
import { submit } from '../setup/product.ts'

describe.skipIf(!hasBrowser)('what the pages say of', slow, () => {
  let it: PagesProduct
  beforeAll(async () => {
    it = await startPages()
  }, startMs)
  afterAll(() => it?.close())

  test('what nobody has to decide: it is granted at once, and the record says by whom', async () => {
    const { id } = await it.template({ name: 'Wiki', auto_approve: true })
    const { page, complaints } = await it.visit('alice', `/request-access/${id}`)
    await page.getByText('Nobody has to: it is granted at once').waitFor()
    await page.getByLabel('Why do you need it?').fill('To read.')
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.request().method() === 'POST'),
      page.getByRole('button', { name: 'Submit request' }).click(),
    ])
    // The engine has 5 s to grant it before the answer tells the state as it is.
    const { status } = (await answer.json()) as { status: string }
    const said = status === 'approved' ? 'Granted.' : 'Submitted.'
    await page.getByText(said, { exact: true }).waitFor()
    await page.getByText('Approved automatically').first().waitFor()
    await page.getByText('Time left').waitFor()
    expect(await page.getByText('Waits for').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  test('what is for other groups: how much there is, and at its address why it cannot be asked for', async () => {
    const admin = await it.as('admin')
    const { body } = await admin.call<{ data: { id: string; name: string }[] }>('GET', '/groups')
    const dbas = body.data.find(({ name }) => name === 'dba-team')?.id
    const { id } = await it.template({ name: 'Root shell', allowed_group_ids: [dbas] })
    const { page, complaints } = await it.visit('alice', '/request-access')
    await page.getByText('; 1 more for other groups than yours').waitFor()
    expect(await page.getByText('Root shell').count()).toBe(0)
    await page.goto(`${it.url}/request-access/${id}`)
    await page.getByText('This is for other groups than yours.').waitFor()
    expect(await page.getByRole('button', { name: 'Submit request' }).count()).toBe(0)
    await expectAccessible(page)
    const bob = await it.visit('bob', '/request-access')
    await bob.page.getByRole('link', { name: 'Request Root shell' }).waitFor()
    expect(await bob.page.getByText('more for other groups').count()).toBe(0)
    expect([...complaints, ...bob.complaints]).toEqual([])
  })

  test('what did not come: why, and another attempt, which brings it', async () => {
    const { page } = await it.visit('alice', '/my-requests')
    await page.getByRole('heading', { name: 'My requests' }).waitFor()
    await page.route('**/api/v1/catalogue*', (route) => route.abort())
    await page.goto(`${it.url}/request-access`)
    const again = page.getByRole('alert').getByRole('button', { name: 'Try again' })
    await again.waitFor()
    await expectAccessible(page)
    expect(await page.getByRole('link', { name: /^Request Database/ }).count()).toBe(0)
    await page.unroute('**/api/v1/catalogue*')
    await again.click()
    await page.getByRole('link', { name: 'Request Database read-only access' }).waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
  })

  test('a token: whoever has the request open sees it without a reload, and until when it is good', async () => {
    const [alice, bob] = await Promise.all([it.as('alice'), it.as('bob')])
    const template = await it.template({ name: 'With a token' })
    const asked = await submit(alice, template.id)
    expect((await bob.call('POST', `/access-requests/${asked.id}/approve`, {})).status).toBe(200)
    const { page, complaints } = await it.visit('bob', `/requests/${asked.id}`)
    await page.getByText(/The access begins, and lasts until/).waitFor()
    expect(await page.getByText(/^Token issued/).count()).toBe(0)
    const minted = await alice.call('POST', `/applications/${String(template['app_id'])}/token`)
    expect(minted.status).toBe(200)
    const line = page.getByRole('listitem').filter({ hasText: 'Token issued for internal-db' })
    await line.getByText(/It is good until/).waitFor()
    expect(await page.getByText(String(minted.body['access_token']).slice(0, 20)).count()).toBe(0)
    expect(complaints).toEqual([])
  })
})
