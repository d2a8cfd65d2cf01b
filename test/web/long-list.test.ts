import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { hasBrowser, slow, startMs, startPages } from '../setup/browser.ts'
import type { PagesProduct, Visit } from '../setup/browser.ts'

const count = 10_000

/** Runs in the page: how long it was deaf, each time. */
const watchLongTasks = `
  globalThis.longTasks = []
  new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => longTasks.push(duration)))
    .observe({ entryTypes: ['longtask'] })`

/** Runs in the page: down again and again, a frame each, until the last row is in sight. */
const scrollToTheEnd = `(async () => {
  const isLast = (link) => link.textContent === 'Request number 1'
  while (![...document.querySelectorAll('li a')].some(isLast)) {
    scrollTo(0, document.body.scrollHeight)
    await new Promise((resolve) => requestAnimationFrame(resolve))
  }
})()`

describe.skipIf(!hasBrowser)('a list of 10,000 requests', slow, () => {
  let it: PagesProduct
  let alice: Visit
  beforeAll(async () => {
    it = await startPages()
    const { id } = await it.as('alice')
    await it.sql`
      insert into access_requests (id, status, decision, template_id, template_name, app_id, app_name, mappings, snapshot,
        requester_id, requester_email, requester_name, subject_id, subject_name, requested_duration_mins,
        justification, approver_group_ids, trigger_task_failure_mode, created_at, ended_at)
      select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
        case when n % 5 = 0 then 'denied' else 'revoked' end,
        case when n % 5 = 0 then 'denied' else 'cancelled' end, t.id, 'Request number ' || n, t.app_id,
        'Internal DB', '[]', '{}', ${id}, 'alice@example.com', 'Alice', ${id}, 'Alice', 60, 'The incident.', '{}',
        'ignore', now() - n * interval '1 minute', now()
      from generate_series(1, ${count}) n, (select id, app_id from templates limit 1) t`
    alice = await it.visit('alice', '/my-requests')
  }, startMs)
  afterAll(() => it.close())

  const rowsOnPage = () => alice.page.getByRole('listitem').filter({ hasText: 'Request number' }).count()

  test('begins at once, and has few rows on the page', async () => {
    await alice.page.getByRole('link', { name: `Request number ${count}`, exact: true }).waitFor()
    expect(await rowsOnPage()).toBeLessThan(60)
  })

  test('scrolls to its very end', { timeout: 240_000 }, async () => {
    await alice.page.evaluate(watchLongTasks)
    const began = performance.now()
    await alice.page.evaluate(scrollToTheEnd)
    await alice.page.getByRole('link', { name: 'Request number 1', exact: true }).waitFor()
    expect(await rowsOnPage()).toBeLessThan(60)
    const longTasks = await alice.page.evaluate<number[]>('longTasks')
    const longest = longTasks
      .toSorted((one, other) => other - one)
      .slice(0, 3)
      .map(Math.round)
    const took = ((performance.now() - began) / 1_000).toFixed(1)
    process.stdout.write(
      `  10,000 rows scrolled in ${took} s, the longest tasks of the page took ${longest.join(', ')} ms\n`,
    )
  })

  test('is narrowed to what is asked for', async () => {
    const { page, complaints } = alice
    await page.evaluate('scrollTo(0, 0)')
    await page.getByLabel('State').selectOption('denied')
    await page.getByRole('link', { name: `Request number ${count}`, exact: true }).waitFor()
    expect(await page.getByText('Cancelled', { exact: true }).count()).toBe(0)
    expect(page.url()).toContain('status=denied')
    await page.getByLabel('State').selectOption('expired')
    await page.getByText('No request is in this state.').waitFor()
    expect(complaints).toEqual([])
  })
})
