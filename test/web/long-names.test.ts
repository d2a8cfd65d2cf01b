import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { hasBrowser, phone, shoot, slow, startMs, startPages } from '../setup/browser.ts'
import type { PagesProduct } from '../setup/browser.ts'
import { submit } from '../setup/product.ts'
import type { Caller } from '../setup/product.ts'

/** As long as a name may be. */
const longest = 'Averylongnamewithoutanyspace'.repeat(8).slice(0, 200)
const emoji = '🗝👩🏽🚀'.repeat(12)
const arabic = 'وصول للقراءة فقط'

/** How much wider than its window a page is. */
const overflowOf = (page: Page) =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')

/** Words that end beyond the window, or beyond what holds them without a scrollbar. */
const sticksOut = `[...document.querySelectorAll('main *, nav *, header *')]
  .filter((element) => element.checkVisibility() && element.closest('.visually-hidden, [class*=cm-], select') === null)
  .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ''))
  .filter((element) => {
    const range = document.createRange()
    range.selectNodeContents(element)
    let holder = element
    while (holder !== null && getComputedStyle(holder).overflowX === 'visible') holder = holder.parentElement
    return holder === null && range.getBoundingClientRect().right > innerWidth + 1
  })
  .map((element) => element.outerHTML.slice(0, 120))`

/** Names of every kind of thing, all as long as they may be, and where they are shown. */
async function fill(admin: Caller, it: PagesProduct): Promise<[string, string[]][]> {
  const make = async (path: string, body: object) => {
    const answer = await admin.call<{ id: string }>('POST', path, body)
    expect([path, answer.status, answer.status === 201 ? '' : answer.body]).toEqual([path, 201, ''])
    return answer.body.id
  }
  const [alice, bob] = await Promise.all([it.as('alice'), it.as('bob')])
  const [group, wide] = [
    await make('/groups', { name: longest, description: `${emoji} ${longest}` }),
    await make('/groups', { name: `${emoji} ${arabic}` }),
  ]
  const person = await make('/identities', {
    kind: 'human',
    email: `${'a'.repeat(60)}@${'b'.repeat(60)}.example.com`,
    display_name: longest,
  })
  const script = await make('/scheduled-tasks', { name: longest, script: 'export const run = () => "done"' })
  const many = await Promise.all(
    Array.from({ length: 30 }, (_, at) => make('/groups', { name: `${at} ${longest.slice(0, 150)}` })),
  )
  for (const id of [group, wide, ...many])
    expect((await admin.call('PUT', `/groups/${id}/members/${person}`, {})).status).toBe(204)
  const template = await it.template({
    name: longest,
    description: `${longest} ${emoji} ${arabic}`,
    allowed_durations: [],
    approver_group_ids: [...many, ((await it.template())['approver_group_ids'] as string[])[0]],
    custom_fields: [
      { label: longest.slice(0, 100), type: 'select', options: [longest.slice(0, 100), emoji] },
      { label: `${emoji}${arabic}`, type: 'checkbox' },
    ],
  })
  const asked = await submit(alice, template.id, {
    justification: `${longest.repeat(9)} ${emoji} ${arabic}`,
    ticket: longest.slice(0, 100),
  })
  const path = `/access-requests/${asked.id}`
  for (const body of [longest.repeat(5), emoji.repeat(9), arabic.repeat(30)])
    expect((await bob.call('POST', `${path}/messages`, { body })).status).toBe(201)
  return [
    ['alice', ['/request-access', `/request-access/${template.id}`, '/my-requests', `/requests/${asked.id}`]],
    ['bob', ['/approvals', `/approvals/${asked.id}`]],
    [
      'admin',
      [
        '/history',
        '/templates',
        `/templates/${template.id}`,
        '/groups',
        `/groups/${group}`,
        '/identities',
        `/identities/${person}`,
        '/scripts',
        `/scripts/${script}`,
      ],
    ],
  ]
}

describe.skipIf(!hasBrowser)('names as long as they may be', slow, () => {
  let it: PagesProduct
  /** Paths by who looks at them. */
  let places: [name: string, paths: string[]][]
  beforeAll(async () => {
    it = await startPages()
    places = await fill(await it.as('admin'), it)
  }, startMs)
  afterAll(() => it?.close())

  test.each([
    ['a phone', phone],
    ['half a desk', { viewport: { width: 860, height: 800 } }],
    ['a desk', { viewport: { width: 1280, height: 800 } }],
  ])('stay inside the window, on every page: %s', async (_, options) => {
    const found: Record<string, unknown> = {}
    for (const [name, paths] of places) {
      const { page } = await it.visit(name, '/nothing', options)
      for (const path of paths) {
        await page.goto(`${it.url}${path}`)
        await page
          .getByText(longest.slice(0, 60))
          .or(page.locator(`[value^=${longest}]`))
          .first()
          .waitFor({ state: 'attached' })
        await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' })
        const width = await overflowOf(page)
        const out = await page.evaluate<string[]>(sticksOut)
        if (width > 0 || out.length > 0) found[path] = [width, out]
        await shoot(page, `long-${page.viewportSize()?.width}-${path.split('/')[1]}-${path.length}`)
      }
      await page.context().close()
    }
    expect(found).toEqual({})
  })
})
