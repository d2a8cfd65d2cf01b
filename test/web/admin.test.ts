import { readFileSync } from 'node:fs'

import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { expectAccessible, hasBrowser, shoot, slow, startMs, startPages } from '../setup/browser.ts'
import type { PagesProduct, Visit } from '../setup/browser.ts'
import { submit } from '../setup/product.ts'

/** No page of a test may leave a complaint of the browser behind, the policy's least of all. */
const expectCalm = (...visits: Visit[]) => expect(visits.flatMap(({ complaints }) => complaints)).toEqual([])

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true })
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const open = (page: Page, name: string) =>
  page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).click()

const mended = [
  "import config from 'config'",
  "import log from 'log'",
  'export async function run() {',
  "  log('justified by', config.get('justification'))",
  "  if (!config.get('justification').includes('INC-')) throw new Error('Name the incident.')",
  "  await http.post('https://hooks.example.com/told', { id: config.get('request_id') })",
  "  return 'checked'",
  '}',
].join('\n')
const withTypeError = mended.replace("config.get('request_id')", "config.fetch('request_id')")

/** Replaces what the editor holds, as somebody who pastes does. */
async function paste(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Script', exact: true }).click()
  await page.keyboard.press('Control+A')
  await page.keyboard.insertText(text)
}

describe.skipIf(!hasBrowser)('an admin sets access up', slow, () => {
  let it: PagesProduct
  let admin: Visit
  let page: Page
  beforeAll(async () => {
    it = await startPages()
    admin = await it.visit('admin', '/scripts/new', { acceptDownloads: true })
    page = admin.page
  }, startMs)
  afterAll(() => it.close())
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail' && admin) await shoot(page, `failed-admin-${Date.now()}`)
  })

  test('the editor names a type error, leads to it, and completes what scripts can call', async () => {
    await page.getByText('No type errors.').waitFor()
    await page.getByLabel('Name').fill('incident_gate')
    await paste(page, withTypeError)
    await page.getByText("Property 'fetch' does not exist").waitFor()
    await expectAccessible(page)
    await shoot(page, 'admin-script-type-error')
    await page.getByRole('button', { name: /^Line 6, column/ }).press('Enter')
    await page.keyboard.press('Shift+ArrowRight')
    await paste(page, `${mended}\nconfig.`)
    await page.keyboard.press('Control+Space')
    await page.getByRole('option', { name: /^get/ }).waitFor()
    await expectAccessible(page)
    await page.keyboard.press('Escape')
    await paste(page, mended)
    await page.getByText('No type errors.').waitFor()
  })

  test('a test run shows what the script did, and the call that was not made', async () => {
    await button(page, 'Run the test').click()
    await page.getByText('Name the incident.', { exact: false }).last().waitFor()
    await paste(page, mended.replace("'INC-'", "''"))
    await page.getByLabel('Hosts that it may call').fill('hooks.example.com')
    await button(page, 'Run the test').click()
    await page.getByText('POST hooks.example.com/told').waitFor()
    await page.getByText('Written down, not made').waitFor()
    await expectAccessible(page)
    await shoot(page, 'admin-test-run')
  })

  test('what does not compile is refused at its line and column, and saved once it does', async () => {
    await paste(page, 'export function run() {\n  return (\n}')
    await button(page, 'Create script').click()
    await page
      .getByText(/^Refused: /)
      .first()
      .waitFor()
    await shoot(page, 'admin-script-refused')
    admin.complaints.length = 0
    await paste(page, mended)
    await button(page, 'Create script').click()
    await heading(page, 'incident_gate').waitFor()
  })

  test('another version can be compared with the one before, and taken back', async () => {
    await page.getByText('No type errors.').waitFor()
    await paste(page, mended.replace('Name the incident.', 'Name the incident, such as INC-42.'))
    await button(page, 'Save as a new version').click()
    await page.getByText('Version 2', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'Versions' }).click()
    const diff = page.getByRole('textbox', { name: 'Script: from version 1 to version 2' })
    await diff.getByText('such as INC-42').waitFor()
    await expectAccessible(page)
    await shoot(page, 'admin-versions')
    await button(page, 'Go back to version 1').click()
    await page.getByRole('dialog').getByRole('button', { name: 'Go back to version 1' }).click()
    await page.getByText('Version 3', { exact: true }).first().waitFor()
  })

  test('a template is made with its questions, shown as whoever asks will see it, errors at their fields', async () => {
    await open(page, 'Templates')
    await page.getByRole('link', { name: 'New template' }).click()
    await button(page, 'Create template').click()
    await page.getByText('Choose the application.').waitFor()
    await expectAccessible(page)
    admin.complaints.length = 0
    await page.getByLabel('Name', { exact: true }).or(page.getByLabel('Name *')).fill('Production shell')
    await page.getByLabel('Application').selectOption({ label: 'Internal DB' })
    await page.getByLabel('db-readonly').check()
    await page.getByLabel('Durations').fill('30m, 2h')
    await page.getByRole('group', { name: 'Approver groups' }).getByLabel('dba-team').check()
    await page.getByText('Bob (bob@example.com)').waitFor()
    await button(page, 'Add a question').click()
    await page.keyboard.type('Environment')
    await page.getByLabel('Answer', { exact: true }).selectOption('select')
    await page.getByLabel('Options, one a line').fill('staging\nproduction')
    await button(page, 'Add a question').click()
    await page.keyboard.type('Host')
    await button(page, 'Move Host up').click()
    await page.getByLabel('Script', { exact: true }).selectOption({ label: 'incident_gate' })
    await page.getByLabel('When it fails').selectOption('block')
    const preview = page.getByRole('complementary')
    expect(await preview.getByRole('radio').count()).toBe(2)
    expect(await preview.getByLabel('Environment').locator('option').count()).toBe(3)
    await expectAccessible(page)
    await shoot(page, 'admin-template')
    await button(page, 'Create template').click()
    await heading(page, 'Production shell').waitFor()
  })

  test('who edits what somebody else has saved meanwhile is told, and what was typed stays', async () => {
    const other = await it.as('admin')
    const path = `/access-request-templates/${new URL(page.url()).pathname.split('/').at(-1)}`
    const { body } = await other.call('GET', path)
    const { id: _, created_at: _c, updated_at: _u, ...input } = body
    await other.call('PUT', path, { ...input, description: 'For incidents.' })
    await page.getByLabel('Durations').fill('1h')
    await button(page, 'Save template').click()
    await page.getByText('Somebody else has saved this while you were editing').waitFor()
    await button(page, 'See what they changed').click()
    await page.getByText('They changed: description.').waitFor()
    expect(await page.getByLabel('Durations').inputValue()).toBe('1h')
    await expectAccessible(page)
    await shoot(page, 'admin-conflict')
    await button(page, 'Load what is saved now').click()
    await page.getByText('Somebody else has saved this').waitFor({ state: 'detached' })
    expect(await page.getByLabel('Description').first().inputValue()).toBe('For incidents.')
    admin.complaints.length = 0
  })

  test('behind a proxy that compresses, and so weakens entity tags, saving works', async () => {
    await page.route('**/api/v1/access-request-templates/*', async (route) => {
      const response = await route.fetch()
      const { etag, ...headers } = response.headers()
      await route.fulfill({ response, headers: { ...headers, ...(etag && { etag: `W/${etag}` }) } })
    })
    await page.reload()
    await page.getByLabel('Description').first().fill('For incidents, by day.')
    const saved = page.waitForResponse((response) => response.request().method() === 'PUT')
    await button(page, 'Save template').click()
    expect((await saved).status()).toBe(200)
    await page.unrouteAll()
  })

  test('the script stops an approval of what names no incident, and lets another pass; History tells of both', async () => {
    const [alice, bob] = [await it.as('alice'), await it.as('bob')]
    const template_id = new URL(page.url()).pathname.split('/').at(-1) ?? ''
    const custom_answers = {}
    const asked = await submit(alice, template_id, { requested_duration_mins: 30, custom_answers })
    const refused = await bob.call('POST', `/access-requests/${asked.id}/approve`, {})
    expect([refused.status, refused.body['code']]).toEqual([409, 'trigger_task_blocked'])
    await alice.call('POST', `/access-requests/${asked.id}/revoke`, {})
    const again = await submit(alice, template_id, {
      requested_duration_mins: 30,
      justification: '=INC-42 with "quotes", and commas',
    })
    await bob.call('POST', `/access-requests/${again.id}/deny`, { comment: '@not now' })
    await open(page, 'Access requests')
    await open(page, 'History')
    await page.getByLabel('Template', { exact: true }).selectOption({ label: 'Production shell' })
    await page.getByLabel('Requester').fill('ALICE@')
    await page.getByRole('article').filter({ hasText: 'Cancelled' }).waitFor()
    await page.getByRole('article').filter({ hasText: 'Denied by bob@example.com' }).waitFor()
    expect(new URL(page.url()).searchParams.get('template_id')).toBe(template_id)
    await expectAccessible(page)
    await shoot(page, 'admin-history')
  })

  test('what History shows is exported, and no cell of it is a formula', async () => {
    await page.getByLabel('Status').selectOption('denied')
    await page.waitForURL(/status=denied/)
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      button(page, 'Export as CSV').click(),
    ])
    const [, ...rows] = readFileSync(await download.path(), 'utf8')
      .trimEnd()
      .split('\r\n')
    expect(rows).toHaveLength(1)
    expect(rows[0]).toContain(`"'=INC-42 with ""quotes"", and commas"`)
    expect(rows[0]).toContain(`"'@not now"`)
  })

  test('a template with an open request is not deleted, one without leaves its name behind', async () => {
    const template_id = new URL(page.url()).searchParams.get('template_id') ?? ''
    const alice = await it.as('alice')
    const asked = await submit(alice, template_id, { requested_duration_mins: 30 })
    await open(page, 'Templates')
    await page.getByRole('link', { name: 'Production shell' }).click()
    await button(page, 'Delete').click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await dialog.getByText('still use this template').waitFor()
    await expectAccessible(page)
    admin.complaints.length = 0
    await alice.call('POST', `/access-requests/${asked.id}/revoke`, {})
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await heading(page, 'Templates').waitFor()
    await open(page, 'Access requests')
    await open(page, 'History')
    await page.getByText('(deleted template)').first().waitFor()
    expectCalm(admin)
  })

  test('who may not administer is offered nothing of it, and told why at its address', async () => {
    const bob = await it.visit('bob', '/templates')
    await bob.page.getByText('This page needs the permission templates.manage.').waitFor()
    expect(await bob.page.getByRole('link', { name: 'Scripts' }).count()).toBe(0)
    await expectAccessible(bob.page)
    expectCalm(bob)
  })
})
