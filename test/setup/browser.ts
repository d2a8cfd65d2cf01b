import { AxeBuilder } from '@axe-core/playwright'
import { chromium } from 'playwright-core'
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { expect, inject } from 'vitest'

import { webBundle } from '../../bin/web-bundle.ts'
import { startTestProduct } from './product.ts'
import type { TestProduct, TestProductOptions } from './product.ts'
import { dataFolder } from './run-folder.ts'

const installed = inject('servers').chromium

/** Without one, tests that need it are skipped; the run has said so. */
export const hasBrowser = installed !== null

/** A page of somebody who is signed in, and what its browser complained of. */
export type Visit = { page: Page; complaints: string[] }

export type PagesProduct = TestProduct & {
  browser: Browser
  /** Opens the pages as a member of the demo organisation, in a browser profile of its own; `nobody`: not signed in. */
  visit: (name: string, path?: string, options?: BrowserContextOptions) => Promise<Visit>
  /** Ends the product; its browser stays. */
  stop: () => Promise<void>
}

/** Starting a product and a browser at once is slow on a busy machine, and so is a browser. */
export const startMs = 180_000
export const slow = { timeout: 180_000 }

/** What a test waits for at most; a slow machine takes longer than playwright's own idea. */
const patienceMs = 60_000

export const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const

/** The product with its pages. */
export async function startPagesAlone(options: TestProductOptions = {}): Promise<TestProduct> {
  const pages_folder = await webBundle(dataFolder)
  // People of the embedded set-up sign in by name only where its address is this machine's.
  return startTestProduct({ pages_folder, public_url: 'http://127.0.0.1', ...options })
}

/** The product with its pages, and a browser. */
export async function startPages(options: TestProductOptions = {}): Promise<PagesProduct> {
  if (installed === null) throw new Error('there is no browser')
  const [product, browser] = await Promise.all([
    startPagesAlone(options),
    chromium.launch({
      executablePath: installed.program,
      env: { ...process.env, LD_LIBRARY_PATH: installed.library_path },
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    }),
  ])
  return {
    ...product,
    browser,
    stop: product.close,
    visit: (name, path = '/', options = {}) => visit({ product, browser }, { name, path, options }),
    async close() {
      await browser.close()
      await product.close()
    },
  }
}

type Visiting = { name: string; path: string; options: BrowserContextOptions }
type Started = { product: TestProduct; browser: Browser }

async function visit({ product, browser }: Started, { name, path, options }: Visiting): Promise<Visit> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options })
  context.setDefaultTimeout(patienceMs)
  if (name !== 'nobody') await signIn(context, product.url, name)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(`${product.url}${path}`)
  return { page, complaints }
}

/** As the sign-in page does it; the context keeps the cookie. */
async function signIn(context: BrowserContext, url: string, name: string): Promise<void> {
  const answer = await context.request.post(`${url}/auth/local`, {
    data: { email: `${name}@example.com` },
    headers: { origin: url },
  })
  expect(answer.status()).toBe(204)
}

/** axe finds nothing on what is on the screen now. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)
  expect(found).toEqual([])
}

/** Walks there as somebody without a mouse does. */
export async function tabTo(target: Locator): Promise<void> {
  const page = target.page()
  for (let step = 0; step < 80; step++) {
    if ((await target.and(page.locator(':focus')).count()) > 0) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab does not lead to ${String(target)}`)
}

/** A picture for whoever looks at the pages: `SHOTS=folder npm test test/web`. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env['SHOTS']
  if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true })
}
