import http from 'node:http'
import type { AddressInfo } from 'node:net'

import { chromium } from 'playwright-core'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { hasBrowser, slow, startMs, startPages } from '../setup/browser.ts'
import type { PagesProduct, Visit } from '../setup/browser.ts'
import { eventually, submit } from '../setup/product.ts'
import type { Caller } from '../setup/product.ts'

/** Markup that would say where it came alive. */
const alive = (where: string) =>
  `<img src=x onerror="window.alive='${where}'"><script>alive='${where}'</script>`

type Harm = { alive?: string; links: string[]; handlers: number }

const withoutRefusals = ({ complaints }: Visit) =>
  complaints.filter((text) => !text.includes('Failed to load resource'))

const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true })

describe.skipIf(!hasBrowser)('what people and scripts write', slow, () => {
  let it: PagesProduct
  let alice: Caller
  let request: { id: string }
  let template: Record<string, unknown> & { id: string }
  let task: { id: string }
  beforeAll(async () => {
    it = await startPages()
    const admin = await it.as('admin')
    alice = await it.as('alice')
    const script = `export function run() {
      console.log(${JSON.stringify(alive('log'))});
      return ${JSON.stringify(alive('result'))} }`
    const made = await admin.call('POST', '/scheduled-tasks', { name: alive('task'), script })
    task = { id: String(made.body['id']) }
    template = await it.template({
      name: alive('template'),
      description: `${alive('description')} [x](javascript:alert(1)) javascript:alert(1)`,
      trigger_task_id: task.id,
      custom_fields: [
        { label: 'constructor', type: 'text', placeholder: alive('placeholder') },
        { label: '__proto__', type: 'select', options: [alive('option'), 'prototype'] },
      ],
    })
    const [text, select] = template['custom_fields'] as { id: string }[]
    request = await submit(alice, template.id, {
      justification: `${alive('justification')}\njavascript:alert(1)`,
      ticket: 'INC-\u202E24',
      custom_answers: { [text?.id ?? '']: alive('answer'), [select?.id ?? '']: alive('option') },
    })
    await alice.call('POST', `/access-requests/${request.id}/messages`, {
      body: `${alive('message')} \u202Eti evorppa`,
    })
    const runs = async () => (await admin.call('GET', `/scheduled-tasks/${task.id}/runs`)).body['data']
    await eventually('a run of the script', async () => {
      const found = (await runs()) as { status: string }[]
      return found.some(({ status }) => status === 'succeeded')
    })
  }, startMs)
  afterAll(() => it.close())

  /** What came alive in the page, and links that lead elsewhere than to a page. */
  const harmOf = (page: Page) =>
    page.evaluate<Harm>(`({
      alive: window.alive,
      links: [...document.querySelectorAll('a')].map(({ href }) => href).filter((href) => !/^https?:/.test(href)),
      handlers: document.querySelectorAll('main img[onerror], main script').length,
    })`)
  const harmless = { alive: undefined, links: [], handlers: 0 }

  test('comes alive on none of the pages that show it', async () => {
    const visit = await it.visit('admin', '/request-access')
    const { page } = visit
    for (const path of [
      '/request-access',
      `/request-access/${template.id}`,
      `/requests/${request.id}`,
      '/history',
      '/templates',
      `/templates/${template.id}`,
      '/scripts',
      `/scripts/${task.id}`,
      `/scripts/${task.id}?part=runs`,
    ]) {
      await page.goto(`${it.url}${path}`)
      await page
        .getByText('onerror')
        .or(page.locator('[value*=onerror]'))
        .first()
        .waitFor({ state: 'attached' })
      for (const summary of await page.getByText('Log and result').all()) await summary.click()
      expect([path, await harmOf(page)]).toEqual([path, harmless])
    }
    const judging = await it.visit('bob', `/approvals/${request.id}`)
    await judging.page.getByText('onerror').first().waitFor()
    expect(await harmOf(judging.page)).toEqual(harmless)
    expect([...withoutRefusals(visit), ...withoutRefusals(judging)]).toEqual([])
  })

  test('does not read as something else: what turns the direction of text is shown', async () => {
    const { page } = await it.visit('bob', `/approvals/${request.id}`)
    await page.getByText('INC-[U+202E]24').waitFor()
    await page.goto(`${it.url}/requests/${request.id}`)
    await page.getByText('INC-[U+202E]24').waitFor()
    await page.getByText('[U+202E]ti evorppa').waitFor()
  })
})

describe.skipIf(!hasBrowser)('an address that somebody else made up', slow, () => {
  let it: PagesProduct
  let visit: Visit
  beforeAll(async () => {
    it = await startPages()
    visit = await it.visit('admin', '/request-access')
  }, startMs)
  afterAll(() => it.close())

  const nothing = 'There is nothing at this address.'
  test.each([
    ['/request-access?q=%7B%22a%22%3A1%7D', 'Nothing fits this search.'],
    ['/request-access?q=1&q=2', 'Nothing fits this search.'],
    ['/request-access?q=%', 'Nothing fits this search.'],
    ['/requests/%', 'There is no such request, or you may not see it.'],
    ['/%E0%A4%A', nothing],
    ['//evil.example/x', nothing],
    ['/requests/..%2f..%2fme', 'There is no such request, or you may not see it.'],
    ['/groups/%2e%2e%2f%2e%2e%2fme', 'It is not here any more.'],
    ['/request-access/__proto__', 'This is not offered any more.'],
    ['/scripts/constructor?part=__proto__', 'It is not here any more.'],
    ['/my-requests?status=__proto__', 'The request is not valid'],
  ])('%s says what there is', async (path, said) => {
    const { page } = visit
    await page.goto(`${it.url}${path}`)
    await page.getByText(said).waitFor()
    expect(new URL(page.url()).origin).toBe(it.url)
    expect(await page.evaluate(() => Reflect.get({}, 'polluted') as unknown)).toBeUndefined()
  })

  test('puts nothing into the calls of a page that the page does not know', async () => {
    const { page } = visit
    const calls: URL[] = []
    page.on('request', (request) => calls.push(new URL(request.url())))
    const search = 'limit=1&cursor=x&__proto__[polluted]=1&constructor.prototype.polluted=1&requester=42'
    await page.goto(`${it.url}/history?${search}`)
    await page.getByText('No request fits these filters.').waitFor()
    const call = calls.find(({ pathname }) => pathname === '/api/v1/access-requests/all')
    expect([...(call?.searchParams.keys() ?? [])].toSorted()).toEqual(['limit', 'requester'])
    expect(call?.searchParams.get('requester')).toBe('42')
    expect(await page.evaluate(() => Reflect.get({}, 'polluted') as unknown)).toBeUndefined()
  })

  test.each(['constructor', '__proto__', 'toString'])(
    'has the sign-in page say nothing else than its own sentences: %s',
    async (error) => {
      const { page } = await it.visit('nobody', `/sign-in?error=${error}`)
      await page.getByText('The sign-in failed. Try again.').waitFor()
      await page.context().close()
    },
  )

  test('is answered as none where it is longer than any', async () => {
    const { status } = await fetch(`${it.url}/api/v1/groups?limit=${'1'.repeat(100_000)}`)
    expect(status).toBe(431)
  })
})

describe.skipIf(!hasBrowser)('a page elsewhere', slow, () => {
  let it: PagesProduct
  let elsewhere: http.Server
  let html = ''
  beforeAll(async () => {
    it = await startPages()
    elsewhere = http.createServer((_, response) => {
      response.setHeader('content-type', 'text/html').end(html)
    })
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  }, startMs)
  afterAll(async () => {
    elsewhere.close()
    await it.close()
  })

  /** Of the same site, by another port: the cookie comes along. */
  const evil = () => `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`

  test.each(['/', '/approvals', '/api/docs'])('shows nothing of ours in a frame: %s', async (path) => {
    const { page, complaints } = await it.visit('bob')
    html = `<!doctype html><iframe src="${it.url}${path}"></iframe>`
    await page.goto(evil())
    await eventually('the refusal of the frame', () =>
      Promise.resolve(complaints.some((text) => /frame/i.test(text))),
    )
    const [, frame] = page.frames()
    expect(await frame?.locator('main, #docs').count()).toBe(0)
    await page.context().close()
  })

  test('posts no form in the name of whoever looks at it', async () => {
    const { page } = await it.visit('admin')
    html = `<!doctype html><form method="post" enctype="text/plain" action="${it.url}/api/v1/groups">
      <input name='{"name":"forged","description":"' value='"}'></form><script>document.forms[0].submit()</script>`
    const posted = page.waitForResponse(`${it.url}/api/v1/groups`)
    await page.goto(evil())
    expect((await posted).status()).toBe(403)
    expect(await it.sql`select 1 from groups where name = 'forged'`).toHaveLength(0)
  })

  test('has no hold of a page of ours that it opened', async () => {
    const { headers } = await fetch(it.url, { headers: { accept: 'text/html' } })
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
  })
})

describe.skipIf(!hasBrowser)('who comes to the browser next', slow, () => {
  let it: PagesProduct
  beforeAll(async () => {
    it = await startPages()
    await submit(await it.as('alice'), (await it.template({ name: 'Only for alice' })).id)
  }, startMs)
  afterAll(() => it.close())

  const mine = (page: Page) => page.getByRole('link', { name: 'Only for alice' })
  const signIn = (page: Page) => page.getByRole('heading', { name: 'Sign in to Hallpass' })

  test('finds nothing by going back, though browsers keep pages whole', async () => {
    const { chromium: installed } = inject('servers')
    const browser = await chromium.launch({
      executablePath: installed?.program ?? '',
      env: { ...process.env, LD_LIBRARY_PATH: installed?.library_path },
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
      ignoreDefaultArgs: ['--disable-back-forward-cache'],
    })
    const page = await browser.newPage()
    await page.goto(`${it.url}/my-requests`)
    await page.getByRole('button', { name: 'Alice alice@example.com' }).click()
    await mine(page).waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await signIn(page).waitFor()
    await page.goBack({ waitUntil: 'commit' })
    await signIn(page).waitFor()
    expect(await mine(page).count()).toBe(0)
    await browser.close()
  })

  test('sees in every tab who is signed in, and nothing that somebody else had read there', async () => {
    const { page: first } = await it.visit('alice', '/my-requests')
    const second = await first.context().newPage()
    await second.goto(`${it.url}/my-requests`)
    await Promise.all([mine(first).waitFor(), mine(second).waitFor()])
    await first.getByRole('button', { name: 'Sign out' }).click()
    await signIn(second).waitFor()
    expect(await mine(second).count()).toBe(0)
    await second.route('**/api/v1/access-requests?*', () => undefined)
    await second.getByRole('button', { name: 'Dana dana@example.com' }).click()
    await heading(second, 'My requests').waitFor()
    expect(await mine(second).count()).toBe(0)
    await second.getByText('Dana', { exact: true }).waitFor()
    await first.getByText('Dana', { exact: true }).waitFor()
  })
})
