import { decodeJwt } from 'jose'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { workflowId } from '../../workflows/contract.ts'
import { startHttp } from '../egress/servers.ts'
import { expectAccessible, hasBrowser, shoot, slow, startMs, startPages } from '../setup/browser.ts'
import type { PagesProduct, Visit } from '../setup/browser.ts'
import { button, heading, press } from '../setup/forms.ts'
import { fastForward } from '../setup/temporal.ts'

const open = (page: Page, name: string) =>
  page
    .getByRole('navigation', { name: 'Main' })
    .getByRole('link', { name: new RegExp(`^${name}`) })
    .click()

/** Asks the register of incidents; what names none it refuses. */
const gateFor = (register: string) => `import config from 'config'
import log from 'log'
export async function run() {
  const why = config.get('justification')
  log('justified by', why)
  if (!why.includes('INC-')) throw new Error('Name the incident.\\nThe list is at incidents.example.com.')
  const { body } = await http.get('http://${register}/' + config.get('trigger_event'))
  return body
}`

/** What the editor gets when somebody pastes; typed at once, lines get styles of the browser's own, which the policy refuses. */
const paste = (page: Page, text: string) =>
  page.evaluate(`
    const clipboardData = new DataTransfer()
    clipboardData.setData('text/plain', ${JSON.stringify(text)})
    const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true })
    document.activeElement.dispatchEvent(event)`)

/** A register of incidents that thinks about an approval until it is told to answer. */
async function startRegister() {
  const { promise: told, resolve: answer } = Promise.withResolvers<void>()
  const { port, close } = await startHttp(({ url }, response) => {
    const isApproval = url === '/approved'
    void (isApproval ? told : Promise.resolve()).then(() => response.end('the incident is known'))
  })
  return { host: `localhost:${port}`, answer, close }
}

/** The browser tells of every answer that is a refusal: the approval's is meant. */
const unexpected = (...visits: Visit[]) =>
  visits.flatMap(({ complaints }) => complaints.filter((text) => !text.includes('409 (Conflict)')))

describe.skipIf(!hasBrowser)('from the first script to the last line of the record', slow, () => {
  let it: PagesProduct
  let register: Awaited<ReturnType<typeof startRegister>>
  let admin: Visit
  let alice: Visit
  let bob: Visit
  beforeAll(async () => {
    register = await startRegister()
    it = await startPages({ allow_private_egress: true })
    ;[admin, alice, bob] = await Promise.all([
      it.visit('admin', '/scripts/new'),
      it.visit('alice', '/request-access'),
      it.visit('bob', '/approvals'),
    ])
  }, startMs)
  afterAll(() => Promise.all([it.close(), register.close()]))
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return
    for (const [name, visit] of Object.entries({ admin, alice, bob }))
      if (visit) await shoot(visit.page, `failed-story-${name}`)
  })

  /** The roles that a token of alice's for the application carries now. */
  async function rolesOfAlice(): Promise<unknown> {
    const caller = await it.as('alice')
    const { body: apps } = await (await it.as('admin')).call<{ data: { id: string; slug: string }[] }>(
      'GET',
      '/applications',
    )
    const app_id = apps.data.find(({ slug }) => slug === 'internal-db')?.id ?? ''
    const { body } = await caller.call<{ access_token: string }>('POST', `/applications/${app_id}/token`)
    return decodeJwt(body.access_token)['roles']
  }

  async function ask(why: string): Promise<void> {
    const { page } = alice
    await page.getByRole('link', { name: 'Request Incident shell' }).click()
    await page.getByLabel('Why do you need it?').fill(why)
    await button(page, 'Submit request').click()
    await page.getByText('Waits for').waitFor()
  }

  test('the admin writes a script and makes a template whose approvals it checks', async () => {
    const { page } = admin
    await page.getByText('No type errors.').waitFor()
    await page.getByLabel('Name').fill('incident_gate')
    await page.getByRole('textbox', { name: 'Script', exact: true }).click()
    await page.keyboard.press('Control+A')
    await paste(page, gateFor(register.host))
    await page.getByLabel('Hosts that it may call').fill(register.host)
    await page.getByText('No type errors.').waitFor()
    await button(page, 'Create script').click()
    await heading(page, 'incident_gate').waitFor()
    await open(page, 'Templates')
    await page.getByRole('link', { name: 'New template' }).click()
    await page.getByLabel('Name', { exact: true }).or(page.getByLabel('Name *')).fill('Incident shell')
    await page.getByLabel('Application').selectOption({ label: 'Internal DB' })
    await page.getByLabel('db-readonly').check()
    await page.getByLabel('Durations').fill('30m')
    await page.getByRole('group', { name: 'Approver groups' }).getByLabel('dba-team').check()
    await page.getByLabel('Script', { exact: true }).selectOption({ label: 'incident_gate' })
    await page.getByLabel('When it fails').selectOption('block')
    await button(page, 'Create template').click()
    await heading(page, 'Incident shell').waitFor()
  })

  test('alice asks, and bob sees it come; the script refuses his approval, and he reads why in full', async () => {
    await bob.page.getByText('Nothing waits for you.').waitFor()
    await alice.page.reload()
    await ask('Replication stopped.')
    const { page } = bob
    await press(page.getByRole('link', { name: /Incident shell/ }))
    await press(button(page, 'Approve'))
    const refusal = page.getByRole('alert')
    await refusal.getByText('The script “incident_gate” did not let the approval pass').waitFor()
    expect(await refusal.locator('pre').innerText()).toBe(
      'Name the incident.\nThe list is at incidents.example.com.',
    )
    await page.getByText('it can be approved again once the reason is gone').waitFor()
    await button(page, 'Approve').waitFor()
    await expectAccessible(page)
    await alice.page.getByText('The script did not let the approval by bob@example.com pass').waitFor()
  })

  test('alice asks again with what was missing; bob approves, and sees how long the script takes', async () => {
    await button(alice.page, 'Cancel request').click()
    await alice.page.getByRole('dialog').getByRole('button', { name: 'Cancel request' }).click()
    await alice.page.getByText('Cancelled by alice@example.com').first().waitFor()
    const { page } = bob
    await page.getByText('There is nothing left to decide.').waitFor()
    await open(alice.page, 'Request access')
    await ask('INC-42: replication stopped.')
    await press(page.getByRole('link', { name: /Incident shell/ }))
    await press(page.getByRole('link', { name: 'Everything about this request' }))
    await heading(page, 'Incident shell').waitFor()
    await press(button(page, 'Approve'))
    await page.getByText('The script “incident_gate” is checking this approval').waitFor()
    await page.getByText(/^[1-9]\d* of its 30 seconds are gone/).waitFor()
    await shoot(page, 'story-running')
    register.answer()
    await page.getByText('is checking this approval').waitFor({ state: 'detached' })
    await page.getByText('Approved by bob@example.com').first().waitFor()
  })

  test('alice’s time runs, and when it is over both pages say so', async () => {
    const { page } = alice
    const timer = page.getByRole('timer')
    await timer.waitFor()
    const before = await timer.innerText()
    expect(before).toMatch(/^00:(2\d|30):\d\d$/)
    await page
      .getByRole('timer')
      .and(page.locator(`:not(:text-is("${before}"))`))
      .waitFor()
    await bob.page.getByRole('timer').waitFor()
    expect(await rolesOfAlice()).toEqual(['db-readonly'])
    const id = new URL(page.url()).pathname.split('/').at(-1) ?? ''
    await open(page, 'My requests')
    await page.getByText('Yours for another').waitFor()
    await fastForward(it.client, workflowId(id), 31 * 60_000)
    await page.getByRole('article').getByText('Expired', { exact: true }).waitFor()
    await bob.page.getByText('The access ran out').waitFor()
    await bob.page.getByText('Expired', { exact: true }).waitFor()
    expect(await page.getByRole('timer').count()).toBe(0)
    expect(await bob.page.getByRole('timer').count()).toBe(0)
    expect(await rolesOfAlice()).toBeUndefined()
  })

  test('the admin finds both in History, and in the record what the script wrote', async () => {
    const { page } = admin
    await open(page, 'Access requests')
    await open(page, 'History')
    await page.getByLabel('Template', { exact: true }).selectOption({ label: 'Incident shell' })
    await page.getByRole('article').filter({ hasText: 'Cancelled' }).waitFor()
    const expired = page.getByRole('article').filter({ hasText: 'Expired' })
    await expired.getByText('by bob@example.com').waitFor()
    await expired.getByRole('link', { name: 'Incident shell' }).click()
    await page.getByText('INC-42: replication stopped.').first().waitFor()
    await page.getByText('Log and result').first().waitFor()
    const said = page.getByRole('group', { name: 'Log and result of incident_gate' })
    for (const summary of await page.getByText('Log and result').all()) await summary.click()
    await said.filter({ hasText: 'justified by INC-42: replication stopped.' }).first().waitFor()
    await said.filter({ hasText: '→ the incident is known' }).first().waitFor()
    const timeline = page.getByRole('region', { name: 'Timeline' })
    for (const entry of ['Approved by bob@example.com', 'Token issued for internal-db', 'The access ran out'])
      await timeline.getByText(entry).first().waitFor()
    await expectAccessible(page)
    await shoot(page, 'story-record')
    expect(unexpected(admin, alice, bob)).toEqual([])
  })
})
