import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { hasBrowser, shoot, slow, startMs, startPages } from '../setup/browser.ts'
import type { PagesProduct, Visit } from '../setup/browser.ts'
import { eventually, getRequest, submit } from '../setup/product.ts'

const unbroken = 'Averylongwordwithoutanyspace'.repeat(12)
const story = 'The report of the quarter needs its numbers. '.repeat(60)

/** The width of A4 between its margins, in the pixels of CSS. */
const paper = { width: 673, height: 1000 }

/** Everything with words of its own that would be printed, with what a reader of paper sees of it. */
const readPaper = `(() => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const isPrinted = (element) => element.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true })
  const all = [...document.querySelectorAll('body *')].filter(isPrinted)
  const name = (element) => element.tagName + ': ' + element.textContent.slice(0, 40)
  const hasWords = ({ childNodes }) => [...childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')
  const isHidden = (element) => element.closest('.visually-hidden') !== null
  const filled = ({ backgroundColor }) => !/, 0\\)$/.test(backgroundColor) && light(backgroundColor) < 0.7
  return {
    pale: all.filter(hasWords).filter((element) => 1.05 / (light(getComputedStyle(element).color) + 0.05) < 4.5).map(name),
    dark: [document.documentElement, document.body, ...all].filter((element) => filled(getComputedStyle(element))).map(name),
    cut: all.filter((element) => !isHidden(element) && getComputedStyle(element).overflow !== 'visible' &&
      (element.scrollHeight > element.clientHeight + 1 || element.scrollWidth > element.clientWidth + 1)).map(name),
    wide: all.filter((element) => !isHidden(element) && element.getBoundingClientRect().right > innerWidth + 1).map(name),
  }
})()`

describe.skipIf(!hasBrowser)('a request on paper', slow, () => {
  let it: PagesProduct
  let visit: Visit
  beforeAll(async () => {
    it = await startPages()
    const [alice, bob] = await Promise.all([it.as('alice'), it.as('bob')])
    const template = await it.template({
      name: `Paper ${unbroken.slice(0, 190)}`,
      custom_fields: [
        { label: unbroken.slice(0, 150), type: 'text' },
        { label: 'Steps', type: 'textarea' },
        { label: 'Environment', type: 'select', options: ['staging', 'production'] },
        { label: 'Tools', type: 'multi_select', options: ['psql', 'strace'] },
        { label: 'Runbook read', type: 'checkbox' },
      ],
    })
    const fields = template['custom_fields'] as { id: string }[]
    const answers = ['db-1', 'First this.\nThen that.', 'production', ['psql', 'strace'], true]
    const request = await submit(alice, template.id, {
      justification: `${story}\n${unbroken}`,
      custom_answers: Object.fromEntries(fields.map(({ id }, at) => [id, answers[at]])),
      ticket: 'INC-42',
    })
    const path = `/access-requests/${request.id}`
    for (const body of ['Which host first?', `${unbroken} ${story}`])
      expect((await bob.call('POST', `${path}/messages`, { body })).status).toBe(201)
    expect((await bob.call('POST', `${path}/approve`, { comment: 'Until tonight.' })).status).toBe(200)
    const minted = await alice.call('POST', `/applications/${String(template['app_id'])}/token`)
    expect(minted.status).toBe(200)
    await eventually('the runs to be on record', async () => {
      const { timeline } = await getRequest(bob, request.id)
      return (
        timeline.filter(({ kind, detail }) => kind === 'trigger_run' && detail['status'] === 'succeeded')
          .length === 2
      )
    })
    visit = await it.visit('bob', `/requests/${request.id}`, { colorScheme: 'dark', viewport: paper })
    await visit.page.getByText('Which host first?').waitFor()
    await visit.page.getByText('Log and result').first().waitFor()
    await visit.page.emulateMedia({ media: 'print', colorScheme: 'dark' })
  }, startMs)
  afterAll(() => it?.close())

  test('tells everything: what was asked and answered, who decided, the timeline, the logs, the discussion', async () => {
    const { page } = visit
    for (const text of [
      unbroken.slice(0, 150),
      'First this.',
      'production',
      'psql, strace',
      'INC-42',
      'Approved by bob@example.com',
      'Until tonight.',
      /^Submitted by alice@example.com/,
      'Token issued for internal-db',
      /The access begins, and lasts until/,
      'Which host first?',
    ])
      expect([text, await page.getByText(text).first().isVisible()]).toEqual([text, true])
    const logs = page.locator('details pre')
    expect(await logs.count()).toBe(2)
    for (const log of await logs.all()) {
      expect(await log.isVisible()).toBe(true)
      expect((await log.boundingBox())?.height).toBeGreaterThan(40)
    }
  })

  test('is black on white though the screen is dark, and nothing of it is cut off', async () => {
    const { page, complaints } = visit
    expect(await page.evaluate(`matchMedia('(prefers-color-scheme: dark)').matches`)).toBe(true)
    expect(await page.evaluate(readPaper)).toEqual({ pale: [], dark: [], cut: [], wide: [] })
    await shoot(page, 'print-from-dark')
    const pdf = await page.pdf({ format: 'A4' })
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
    expect(complaints).toEqual([])
  })

  test('has no navigation, no buttons and no fields, and tells the exact instants and addresses', async () => {
    const { page } = visit
    for (const locator of ['nav a', 'header a', 'button', 'textarea', 'a[href="#main"]'])
      expect([locator, await page.locator(locator).filter({ visible: true }).count()]).toEqual([locator, 0])
    const contentOf = (selector: string) =>
      page.evaluate<string>(`getComputedStyle(document.querySelector('${selector}'), '::after').content`)
    expect(await contentOf('main time')).toMatch(/\(.*T\d\d:\d\d:.*Z/)
    expect(await contentOf('main a[href^="http"]')).toContain('http://temporal.test')
  })

  test('leaves the screen as dark as it was', async () => {
    const { page } = visit
    await page.emulateMedia({ media: 'screen', colorScheme: 'dark' })
    const { dark } = await page.evaluate<{ dark: string[] }>(readPaper)
    expect(dark.length).toBeGreaterThan(0)
    expect(await page.locator('details pre').first().isVisible()).toBe(false)
    expect(await page.getByRole('link', { name: 'My requests' }).isVisible()).toBe(true)
  })
})
