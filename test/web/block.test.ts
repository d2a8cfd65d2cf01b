import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { AccessRequest } from '../../domain/access-request.ts'
import { workflowId } from '../../workflows/contract.ts'
import { expectAccessible, hasBrowser, shoot, slow, startMs, startPages } from '../setup/browser.ts'
import type { PagesProduct, Visit } from '../setup/browser.ts'
import { getRequest, submit } from '../setup/product.ts'
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

describe.skipIf(!hasBrowser)('an approval that a script checks', slow, () => {
  let it: PagesProduct
  let alice: Caller
  let admin: Caller
  let bob: Visit
  let dana: Visit
  let task: { id: string; name: string }
  let request: AccessRequest
  beforeAll(async () => {
    it = await startPages()
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
  afterAll(() => it.close())

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
