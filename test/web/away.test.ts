import { randomBytes } from 'node:crypto'

import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import {
  expectAccessible,
  hasBrowser,
  shoot,
  slow,
  startMs,
  startPages,
  startPagesAlone,
} from '../setup/browser.ts'
import type { PagesProduct, Visit } from '../setup/browser.ts'
import { createTestDatabase } from '../setup/database.ts'
import type { TestDatabase } from '../setup/database.ts'
import { getRequest, submit } from '../setup/product.ts'
import type { Caller } from '../setup/product.ts'

const notice = (page: Page) => page.getByText('No news from the server since')
const isLive = (page: Page) => notice(page).waitFor({ state: 'detached' })

/** What the browser says of a server that is not there. */
const withoutOutage = ({ complaints }: Visit) =>
  complaints.filter((text) => !/Failed to load resource|ERR_/.test(text))

describe.skipIf(!hasBrowser)('a page that hears nothing of the server', slow, () => {
  const secrets_key = [randomBytes(32)]
  let database: TestDatabase
  let it: PagesProduct
  let close: () => Promise<void>
  let alice: Visit
  let bob: Visit
  let caller: Caller
  let template_id: string
  beforeAll(async () => {
    database = await createTestDatabase()
    it = await startPages({ database_url: database.url, secrets_key })
    close = it.stop
    caller = await it.as('alice')
    template_id = (await it.template({ name: 'Production shell' })).id
    ;[alice, bob] = await Promise.all([it.visit('alice', '/my-requests'), it.visit('bob', '/approvals')])
  }, startMs)
  afterAll(async () => {
    await it.browser.close()
    await close()
    await database.drop()
  })
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail')
      for (const visit of [alice, bob]) if (visit) await shoot(visit.page, `failed-away-${Date.now()}`)
  })

  const listeners = () => database.sql<{ pid: number }[]>`
    select pid from pg_stat_activity where datname = current_database() and query ilike 'listen%'`

  test('says nothing while all is well, and misses nothing when the server loses its database for a moment', async () => {
    await bob.page.getByText('Nothing waits for you.').waitFor()
    expect(await notice(bob.page).count()).toBe(0)
    const before = await listeners()
    expect(before.length).toBeGreaterThan(0)
    await Promise.all(before.map(({ pid }) => database.sql`select pg_terminate_backend(${pid})`))
    await submit(caller, template_id)
    await bob.page.getByRole('link', { name: /Production shell/ }).waitFor()
    await isLive(bob.page)
  })

  test('without a network it says so, sends nothing later that was meant now, and catches up with it', async () => {
    const { page } = bob
    await page.getByRole('link', { name: /Production shell/ }).click()
    await page.getByRole('button', { name: 'Approve' }).waitFor()
    await page.context().setOffline(true)
    await notice(page).waitFor()
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByText('The server cannot be reached. Check the connection, then try again.').waitFor()
    await shoot(page, 'away')
    const [request] = (await caller.call<{ data: { id: string }[] }>('GET', '/access-requests')).body.data
    await caller.call('POST', `/access-requests/${request?.id ?? ''}/revoke`, {})
    await page.context().setOffline(false)
    await page.getByText('There is nothing left to decide.').waitFor()
    await isLive(page)
    expect((await getRequest(caller, request?.id ?? '')).decision).toBe('cancelled')
  })

  test('a connection that has died without a word is noticed by its silence', async () => {
    const deaf = await it.visit('alice', '/my-requests')
    await deaf.page.clock.install()
    await deaf.page.reload()
    await deaf.page.getByText('Cancelled', { exact: true }).waitFor()
    await deaf.page.clock.fastForward(25_000)
    expect(await notice(deaf.page).count()).toBe(0)
    await deaf.page.clock.fastForward(51_000)
    await notice(deaf.page).waitFor()
    await isLive(deaf.page)
    await deaf.page.context().close()
  })

  test('while the server is away every tab says so, and both come back by themselves with what happened meanwhile', async () => {
    const second = await alice.page.context().newPage()
    await second.goto(`${it.url}/request-access`)
    await second.getByRole('link', { name: 'Request Production shell' }).waitFor()
    await it.stop()
    close = () => Promise.resolve()
    for (const page of [alice.page, second, bob.page]) await notice(page).waitFor()
    await second.getByRole('link', { name: 'Access tokens' }).click()
    await alice.page.getByText('Cancelled', { exact: true }).waitFor()
    await database.sql`update access_requests set template_name = 'Renamed meanwhile'`
    const port = Number(new URL(it.url).port)
    const again = await startPagesAlone({ database_url: database.url, secrets_key, port })
    close = again.close
    await alice.page.getByRole('link', { name: 'Renamed meanwhile' }).waitFor()
    for (const page of [alice.page, second, bob.page]) await isLive(page)
    await submit(await again.as('alice'), template_id)
    await alice.page.getByRole('link', { name: 'Production shell' }).waitFor()
    await second.getByRole('heading', { name: 'Access tokens' }).waitFor()
    await second.getByRole('link', { name: /^Access requests/ }).click()
    await second.getByText('You have asked for this').waitFor()
    expect([...withoutOutage(alice), ...withoutOutage(bob)]).toEqual([])
  })

  test('a session that ends elsewhere is not left on the screen', async () => {
    await database.sql`delete from sessions`
    await bob.page.context().setOffline(true)
    await notice(bob.page).waitFor()
    await bob.page.context().setOffline(false)
    await bob.page.getByRole('heading', { name: 'Sign in to Hallpass' }).waitFor()
  })
})
