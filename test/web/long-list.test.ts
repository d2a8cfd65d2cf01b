import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { program, startPages } from '../setup/browser.ts'
import type { PagesProduct, Visit } from '../setup/browser.ts'

const count = 10_000

describe.skipIf(program === undefined)('a list of 10,000 requests', () => {
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
  })
  afterAll(() => it.close())

  const rowsOnPage = () => alice.page.getByRole('listitem').filter({ hasText: 'Request number' }).count()

  /** Wheels down until this row is in sight, as fast as the page lets us. */
  async function scrollTo(name: string): Promise<void> {
    const { page } = alice
    const wanted = page.getByRole('link', { name, exact: true })
    await page.mouse.move(700, 500)
    for (let wheel = 0; wheel < 2_000 && (await wanted.count()) === 0; wheel++)
      await page.mouse.wheel(0, 12_000)
    await wanted.waitFor()
  }

  test('begins at once, and has few rows on the page', async () => {
    await alice.page.getByRole('link', { name: `Request number ${count}`, exact: true }).waitFor()
    expect(await rowsOnPage()).toBeLessThan(60)
  })

  test('scrolls to its very end', { timeout: 120_000 }, async () => {
    await alice.page.evaluate(() => {
      const times: number[] = []
      Object.assign(globalThis, { longTasks: times })
      const observer = new PerformanceObserver((list) =>
        list.getEntries().forEach(({ duration }) => times.push(duration)),
      )
      observer.observe({ entryTypes: ['longtask'] })
    })
    const began = performance.now()
    await scrollTo('Request number 1')
    expect(await rowsOnPage()).toBeLessThan(60)
    const longTasks = await alice.page.evaluate(
      () => (globalThis as unknown as { longTasks: number[] }).longTasks,
    )
    const longest = Math.max(0, ...longTasks).toFixed(0)
    const took = ((performance.now() - began) / 1_000).toFixed(1)
    process.stdout.write(
      `  10,000 rows scrolled in ${took} s, the longest task of the page took ${longest} ms\n`,
    )
  })

  test('is narrowed to what is asked for', async () => {
    const { page, complaints } = alice
    await page.evaluate(() => scrollTo(0, 0))
    await page.getByLabel('State').selectOption('denied')
    await page.getByRole('link', { name: `Request number ${count}`, exact: true }).waitFor()
    expect(await page.getByText('Cancelled', { exact: true }).count()).toBe(0)
    expect(page.url()).toContain('status=denied')
    await page.getByLabel('State').selectOption('expired')
    await page.getByText('No request is in this state.').waitFor()
    expect(complaints).toEqual([])
  })
})
