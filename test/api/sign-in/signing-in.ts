import { expect } from 'vitest'

import type { Me } from '../../../domain/directory.ts'
import type { SignInProvider } from '../../../domain/sign-in-provider.ts'
import { startTestProduct } from '../../setup/product.ts'
import type { TestProduct } from '../../setup/product.ts'
import { createBrowser } from './browser.ts'
import type { Browser } from './browser.ts'

/** What the product calls itself; it listens elsewhere, and the browser is led there. */
export const publicUrl = 'http://127.0.0.1:8080'
export const redirectUri = `${publicUrl}/auth/oidc/callback`

/** A product whose providers are on this machine. */
export const startSignInProduct = (): Promise<TestProduct> =>
  startTestProduct({ public_url: publicUrl, allow_private_egress: true, without_worker: true })

export async function signInLocally(product: TestProduct, email: string): Promise<Browser> {
  const browser = createBrowser(product.url)
  expect((await browser.post('/auth/local', { email })).status).toBe(204)
  return browser
}

export async function addProvider(
  admin: Browser,
  { issuer }: { issuer: string },
  fields: object = {},
): Promise<SignInProvider> {
  const input = { name: `provider ${crypto.randomUUID()}`, issuer, client_id: 'hallpass', ...fields }
  const answer = await admin.post('/api/v1/sign-in-providers', input)
  expect(answer.status).toBe(201)
  return (await answer.json()) as SignInProvider
}

const locationOf = (response: Response, base: string): URL =>
  new URL(response.headers.get('location') ?? expect.unreachable('no redirect'), base)

/** Leads a browser to the provider. @returns where it is sent */
export async function startAt(
  browser: Browser,
  provider: { id: string },
  return_to = '/my-requests',
): Promise<URL> {
  const query = new URLSearchParams({ return_to })
  const answer = await browser.go(`/auth/oidc/${provider.id}/start?${query.toString()}`)
  expect(answer.status).toBe(302)
  return locationOf(answer, publicUrl)
}

/** Follows the provider's redirects until it sends the browser back. @returns where to, on the product */
export async function comeBack(browser: Browser, at: URL): Promise<string> {
  let next = at
  for (let hops = 0; hops < 10; hops += 1) {
    if (next.href.startsWith(redirectUri)) return next.pathname + next.search
    next = locationOf(await browser.go(next.href), next.href)
  }
  return expect.unreachable('the provider does not send the browser back')
}

/** The whole way. @returns where the product sends the browser in the end */
export async function signInAt(
  browser: Browser,
  provider: { id: string },
  return_to?: string,
): Promise<string> {
  const callback = await comeBack(browser, await startAt(browser, provider, return_to))
  const answer = await browser.go(callback)
  expect(answer.status).toBe(302)
  return answer.headers.get('location') ?? ''
}

export const getMe = async (browser: Browser): Promise<Me> =>
  (await (await browser.go('/api/v1/me')).json()) as Me

export const isSignedIn = async (browser: Browser): Promise<boolean> =>
  (await browser.go('/api/v1/me')).status === 200
