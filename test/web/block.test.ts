import { setTimeout } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { AccessRequest } from '../../domain/access-request.ts'
import { workflowId } from '../../workflows/contract.ts'
import { expectAccessible, hasBrowser, phone, shoot, slow, startMs, startPages } from '../setup/browser.ts'
import type { PagesProduct, Visit } from '../setup/browser.ts'
import { eventually, getRequest, submit } from '../setup/product.ts'
import type { Caller } from '../setup/product.ts'
import { fastForward } from '../setup/temporal.ts'

const reason = `The change window is closed.\nIt opens on Monday at 08:00; ask the change board before.`

// A stretch without a call is cut short: it asks again and again.
const refusesLate = `export const run = async () => {
  for (const end = Date.now() + 4000; Date.now() < end;) {
    const next = Date.now() + 200
    while (Date.now() < next);
    await idp.getAccessRequestApprovers(config.get('request_id'))
  }
  throw new Error(${JSON.stringify(reason)})
}`

let it: PagesProduct
beforeAll(async () => {
  if (hasBrowser) it = await startPages()
}, startMs)
afterAll(() => it?.close())

describe.skipIf(!hasBrowser)('an approval that a script checks', slow, () => {
  let alice: Caller
  let admin: Caller
  let bob: Visit
  let dana: Visit
  let task: { id: string; name: string }
  let request: AccessRequest
  beforeAll(async () => {
    ;[alice, admin] = (await Promise.all(['alice', 'admin'].map(it.as))) as [Caller, Caller]
    const script = { name: 'freeze window', script: refusesLate }
    task = (await admin.call<{ id: string; name: string }>('POST', '/scheduled-tasks', script)).body
    const changes = { name: 'Deploy rights', trigger_task_id: task.id, trigger_task_failure_mode: 'block' }
    request = await submit(alice, (await it.template(changes)).id)
    ;[bob, dana] = await Promise.all([
      it.visit('bob', `/approvals/${request.id}`),
      it.visit('dana', `/approvals/${request.id}`),
    ])
  }, startMs)

  test('shows everybody which script runs and how much of its time is gone, and lets nobody approve twice', async () => {
    await dana.page.getByRole('button', { name: 'Approve' }).waitFor()
    await bob.page.getByRole('button', { name: 'Approve' }).click()
    for (const { page } of [bob, dana]) {
      await page.getByText('The script “freeze window” is checking this approval').waitFor()
      await page.getByText(/of its 30 seconds are gone/).waitFor()
    }
    expect(await dana.page.getByRole('button', { name: 'Approve' }).isDisabled()).toBe(true)
    await shoot(dana.page, 'block-running')
  })

  test('shows its refusal in full, to whoever decides, and what to do', async () => {
    for (const { page } of [bob, dana]) {
      await page.getByText('The script “freeze window” did not let the approval pass').waitFor()
      await page.getByText('It opens on Monday at 08:00; ask the change board before.').waitFor()
      await page.getByText('it can be approved again once the reason is gone').waitFor()
    }
    await expectAccessible(bob.page)
    await shoot(bob.page, 'block-refused')
    expect((await getRequest(alice, request.id)).status).toBe('pending')
    // The browser tells of every answer that is a refusal.
    const complaints = [...bob.complaints, ...dana.complaints]
    expect(complaints.filter((text) => !text.includes('409 (Conflict)'))).toEqual([])
  })

  test('passes once the script is mended; the requester sees the grant begin, and end when its time is over', async () => {
    const mended = { name: task.name, script: `export const run = () => 'the window is open'` }
    expect((await admin.call('PUT', `/scheduled-tasks/${task.id}`, mended)).status).toBe(200)
    const visit = await it.visit('alice', `/requests/${request.id}`)
    await visit.page.getByText('Waits for').waitFor()
    await dana.page.getByRole('button', { name: 'Approve' }).click()
    await visit.page.getByText('Time left').waitFor()
    await fastForward(it.client, workflowId(request.id), 61 * 60_000)
    await visit.page.getByText('The access ran out').waitFor()
    await visit.page.getByText('Expired', { exact: true }).waitFor()
    await bob.page.getByText('There is nothing left to decide.').waitFor()
    expect(visit.complaints).toEqual([])
  })

  test('shows what the scripts wrote to who decides', async () => {
    const { page } = await it.visit('bob', `/requests/${request.id}`)
    await page.getByText('Log and result').first().click()
    await page.getByText('→ the window is open').first().waitFor()
    await expectAccessible(page)
    await page.emulateMedia({ media: 'print' })
    expect(await page.getByRole('button', { name: 'Print' }).isVisible()).toBe(false)
    expect(await page.getByRole('navigation').isVisible()).toBe(false)
    await shoot(page, 'detail-printed')
  })
})

describe.skipIf(!hasBrowser)('what people see of a request', slow, () => {
  /** Adds up how far everything that nobody touched has jumped; what is worth a tenth of the screen counts 0.1. */
  const watchJumps = `
    globalThis.jumped = 0
    new PerformanceObserver((list) => list.getEntries().forEach(({ value }) => (jumped += value)))
      .observe({ type: 'layout-shift', buffered: true })`

  test('alice asks for her machine while her own request is pending; each is shown as whose it is', async () => {
    const [alice, bob] = await Promise.all([it.as('alice'), it.as('bob')])
    const { id } = await it.template({ name: 'For two' })
    await submit(alice, id)
    const { page, complaints } = await it.visit('alice', `/request-access/${id}`)
    await page.getByText('There is a pending request for this already.').waitFor()
    expect(await page.getByRole('button', { name: 'Submit request' }).isDisabled()).toBe(true)
    await page.getByLabel('For whom').selectOption({ label: 'CI bot' })
    await page.getByText('There is a pending request').waitFor({ state: 'detached' })
    await page.getByLabel('Why do you need it?').fill('The nightly build.')
    await page.getByRole('button', { name: 'Submit request' }).click()
    await page.getByText('Waits for').waitFor()
    const request_id = new URL(page.url()).pathname.split('/').at(-1) ?? ''
    expect((await bob.call('POST', `/access-requests/${request_id}/approve`, {})).status).toBeLessThan(300)
    await page.getByText(/The access begins, and lasts until/).waitFor()
    await page.getByRole('link', { name: 'My requests' }).click()
    await page.getByText('CI bot has it for another').waitFor()
    expect(complaints).toEqual([])
  })

  test('times are those of the viewer, the exact instant is told on hover, and the workflow is a link away', async () => {
    const alice = await it.as('alice')
    const asked = await submit(alice, (await it.template({ name: 'In Kolkata' })).id)
    const { page } = await it.visit('alice', `/requests/${asked.id}`, { timezoneId: 'Asia/Kolkata' })
    const time = page.locator(`time[datetime="${asked.created_at}"]`).first()
    const options = { dateStyle: 'medium', timeStyle: 'short', timeZone: 'Asia/Kolkata' } as const
    const local = new Intl.DateTimeFormat('en-GB', options).format(new Date(asked.created_at))
    expect(await time.textContent()).toBe(local)
    expect(await time.getAttribute('title')).toContain(`exactly ${asked.created_at}`)
    const workflow = page.getByRole('link', { name: 'Open in the Temporal UI' })
    expect(await workflow.getAttribute('href')).toBe(asked.workflow_url)
    expect(asked.workflow_url).toContain(encodeURIComponent(workflowId(asked.id)))
  })

  test('carol, who looks at an empty list, sees what escalates to her, and not a moment before', async () => {
    const alice = await it.as('alice')
    const asked = await submit(alice, (await it.template({ name: 'Nobody decides' })).id)
    const carol = await it.visit('carol', '/approvals')
    const own = await it.visit('alice', `/requests/${asked.id}`)
    await carol.page.getByText('Nothing waits for you.').waitFor()
    await own.page.getByText(/^to engineering-managers/).waitFor()
    await fastForward(it.client, workflowId(asked.id), 31 * 60_000)
    const waiting = carol.page.getByRole('link', { name: /Nobody decides/ })
    await waiting.getByText('Escalated').waitFor()
    await own.page.getByText('Escalated: more people may decide now; told: carol@example.com').waitFor()
    expect([...carol.complaints, ...own.complaints]).toEqual([])
  })

  test('nothing that is read jumps while the rest arrives', async () => {
    const alice = await it.as('alice')
    const asked = await submit(alice, (await it.template({ name: 'Steady' })).id)
    const admin = await it.as('admin')
    const { body } = await admin.call<{ data: { id: string }[] }>('GET', '/scheduled-tasks')
    const places: [string, string[], object][] = [
      ['alice', ['/request-access', '/my-requests', `/requests/${asked.id}`], {}],
      ['bob', ['/approvals', `/approvals/${asked.id}`], {}],
      ['admin', ['/history', '/templates/new', `/scripts/${body.data[0]?.id}`, '/identities'], {}],
      ['admin', ['/secrets', '/scim-tokens'], {}],
      ['admin', ['/secrets', '/scim-tokens'], phone],
    ]
    for (const [name, paths, options] of places) {
      const { page } = await it.visit(name, '/nothing', options)
      await page.addInitScript(watchJumps)
      // Each answer takes its time, so that what it brings meets what is on the screen already.
      await page.route('**/{api,assets}/**', async (route) => {
        await setTimeout(300)
        await route.continue()
      })
      for (const path of paths) {
        await page.goto(`${it.url}${path}`)
        await page.getByRole('heading', { level: 1 }).waitFor()
        const arriving = page.locator('[aria-busy="true"]')
        await eventually('all that was on its way', async () => (await arriving.count()) === 0, 60_000)
        if (path.startsWith('/scripts/')) await page.getByText('No type errors.').waitFor()
        const jumped = await page.evaluate<number>('jumped')
        expect([path, jumped < 0.01 ? 'still' : jumped]).toEqual([path, 'still'])
      }
    }
  })
})
