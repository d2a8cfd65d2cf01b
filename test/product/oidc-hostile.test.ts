import type { JWTPayload } from 'jose'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'

import { createBrowser } from '../api/sign-in/browser.ts'
import type { Browser } from '../api/sign-in/browser.ts'
import { honest, startHostileProvider, tokensOf, unsigned } from '../api/sign-in/hostile-provider.ts'
import type { Answer, HostileProvider } from '../api/sign-in/hostile-provider.ts'
import {
  addProvider,
  getMe,
  isSignedIn,
  signInLocally,
  startAt,
  startSignInProduct,
} from '../api/sign-in/signing-in.ts'
import { startTestProduct } from '../setup/product.ts'
import type { TestProduct } from '../setup/product.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let product: TestProduct
let idp: HostileProvider
let admin: Browser

beforeAll(async () => {
  ;[product, idp] = await Promise.all([startSignInProduct(), startHostileProvider()])
  admin = await signInLocally(product, 'admin@example.com')
})
beforeEach(() => {
  idp.answer = honest
  idp.metadata = {}
})
afterAll(() => Promise.all([product.close(), idp.close()]))

const provided = () => addProvider(admin, idp, { client_secret: 'secret' })

/** Comes back with whatever code the provider makes. @returns where the browser is sent */
async function signIn(browser: Browser, provider?: { id: string }): Promise<string> {
  const { searchParams } = await startAt(browser, provider ?? (await provided()))
  const [nonce, state] = [searchParams.get('nonce') ?? '', searchParams.get('state') ?? '']
  const query = new URLSearchParams({ code: `${nonce}.bob`, state, iss: idp.issuer })
  return (await browser.go(`/auth/oidc/callback?${query.toString()}`)).headers.get('location') ?? ''
}

test('An honest answer signs in: what the tests below change is all that is wrong with it', async () => {
  const browser = createBrowser(product.url)
  expect(await signIn(browser)).toBe('/my-requests')
  expect(await getMe(browser)).toMatchObject({ email: 'bob@example.com' })
  expect(idp.seen.at(-1)?.get('code_verifier')).toMatch(/^[\w-]{43}$/)
})

test('What a provider says of itself is read once, and anew when the provider is saved', async () => {
  const provider = await provided()
  idp.read.length = 0
  const readings = () => idp.read.filter((path) => path.endsWith('openid-configuration')).length
  await Promise.all([1, 2, 3].map(() => signIn(createBrowser(product.url), provider)))
  expect(readings()).toBe(1)
  const { id, has_client_secret: _, created_at: _c, updated_at: _u, ...input } = provider
  const headers = { 'content-type': 'application/json', origin: product.url }
  const edit = { method: 'PUT', body: JSON.stringify({ ...input, scopes: ['openid'] }), headers }
  expect((await admin.go(`/api/v1/sign-in-providers/${id}`, edit)).status).toBe(200)
  const location = await startAt(createBrowser(product.url), provider)
  expect(location.searchParams.get('scope')).toBe('openid')
  expect(readings()).toBe(2)
})

const changed =
  (change: (claims: JWTPayload) => object): Answer =>
  async (claims, sign) =>
    tokensOf(await sign({ ...claims, ...change(claims) }))

const now = () => Math.floor(Date.now() / 1_000)

const tampered = (token: string): string => {
  const [head, , signature] = token.split('.')
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as JWTPayload
  const payload = Buffer.from(JSON.stringify({ ...claims, email: 'admin@example.com' })).toString('base64url')
  return [head, payload, signature].join('.')
}

const answers: [string, Answer][] = [
  ['of another nonce', changed(() => ({ nonce: 'x'.repeat(43) }))],
  ['without a nonce', changed(() => ({ nonce: undefined }))],
  ['of another issuer', changed(() => ({ iss: 'https://evil.example' }))],
  ['of a look-alike issuer', changed(({ iss }) => ({ iss: `${iss}/` }))],
  ['for another audience', changed(() => ({ aud: 'somebody-else' }))],
  ['for several audiences, by another party', changed(() => ({ aud: ['hallpass', 'x'], azp: 'x' }))],
  ['that ended', changed(() => ({ iat: now() - 900, exp: now() - 60 }))],
  ['of the future', changed(() => ({ nbf: now() + 600 }))],
  ['without an end', changed(() => ({ exp: undefined }))],
  ['without a subject', changed(() => ({ sub: undefined }))],
  ['of an empty subject', changed(() => ({ sub: '' }))],
  ['whose subject is a number', changed(() => ({ sub: 7 }))],
  ['of a subject without end', changed(() => ({ sub: 'x'.repeat(256) }))],
  ['whose subject holds NUL', changed(() => ({ sub: 'bob\0' }))],
  ['that nobody signed', (claims) => Promise.resolve(tokensOf(unsigned(claims)))],
  ['signed with the secret', async (claims, sign) => tokensOf(await sign(claims, 'HS256'))],
  ['signed by another algorithm', async (claims, sign) => tokensOf(await sign(claims, 'RS384'))],
  ['that was tampered with', async (claims, sign) => tokensOf(tampered(await sign(claims)))],
  ['that is none', () => Promise.resolve(tokensOf('x.y.z'))],
  ['that is missing', () => Promise.resolve({ access_token: 'opaque', token_type: 'Bearer' })],
  ['beside an error', () => Promise.resolve({ error: 'server_error', error_description: 'secret words' })],
  ['that is no object', () => Promise.resolve(null)],
]

test.each(answers)('An ID token %s signs nobody in', async (_, answer) => {
  idp.answer = answer
  const browser = createBrowser(product.url)
  expect(await signIn(browser)).toBe('/sign-in?error=provider_refused')
  expect(await isSignedIn(browser)).toBe(false)
})

test('A provider that lists alg none, and uses it, signs nobody in', async () => {
  idp.metadata = { id_token_signing_alg_values_supported: ['RS256', 'none'] }
  idp.answer = (claims) => Promise.resolve(tokensOf(unsigned(claims)))
  const browser = createBrowser(product.url)
  expect(await signIn(browser)).toBe('/sign-in?error=provider_refused')
})

test.each([
  ['speaks for another issuer', { issuer: 'https://evil.example' }],
  ['has no keys', { jwks_uri: undefined }],
  ['has its keys where nobody may go', { jwks_uri: 'http://169.254.169.254/latest/meta-data' }],
  ['takes codes where nobody may go', { token_endpoint: 'http://169.254.169.254/latest/meta-data' }],
])('A provider that %s signs nobody in', async (_, metadata) => {
  idp.metadata = metadata
  const browser = createBrowser(product.url)
  const provider = await provided()
  const started = await browser.go(`/auth/oidc/${provider.id}/start`)
  const location = new URL(started.headers.get('location') ?? '', product.url)
  if (location.pathname !== '/sign-in') {
    const { searchParams } = location
    const code = `${searchParams.get('nonce')}.bob`
    const query = new URLSearchParams({ code, state: searchParams.get('state') ?? '', iss: idp.issuer })
    const answer = await browser.go(`/auth/oidc/callback?${query.toString()}`)
    expect(answer.headers.get('location')).toMatch(/^\/sign-in\?error=provider_(refused|unavailable)$/)
  }
  expect(await isSignedIn(browser)).toBe(false)
})

test.each([
  ['a script', 'javascript:alert(1)'],
  ['a file', 'file:///etc/passwd'],
  ['no URL', 'evil'],
])('Nobody is sent to %s in the place of a provider', async (_, authorization_endpoint) => {
  idp.metadata = { authorization_endpoint }
  const provider = await provided()
  const answer = await createBrowser(product.url).go(`/auth/oidc/${provider.id}/start`)
  expect(answer.headers.get('location')).toBe('/sign-in?error=provider_refused')
})

test.each([
  ['is away', 'http://127.0.0.1:1'],
  ['is a metadata service', 'http://169.254.169.254'],
  ['is a metadata service by another name', 'http://[fd00:ec2::254]'],
])('A provider that %s is unavailable, and says no more', async (_, issuer) => {
  const provider = await addProvider(admin, { issuer })
  const answer = await createBrowser(product.url).go(`/auth/oidc/${provider.id}/start`)
  expect(answer.status).toBe(302)
  expect(answer.headers.get('location')).toBe('/sign-in?error=provider_unavailable')
})

test('Where private addresses are not allowed, no provider is at one', async () => {
  const public_url = 'http://127.0.0.1:8080'
  const careful = await startTestProduct({ public_url, allow_private_egress: false, without_worker: true })
  try {
    const admin = await signInLocally(careful, 'admin@example.com')
    const input = { name: 'near', issuer: idp.issuer, client_id: 'hallpass' }
    const refused = await admin.post('/api/v1/sign-in-providers', input)
    expect(refused.status).toBe(422)
    const provider = await addProvider(admin, { issuer: idp.issuer.replace('http:', 'https:') })
    const answer = await admin.go(`/auth/oidc/${provider.id}/start`)
    expect(answer.headers.get('location')).toBe('/sign-in?error=provider_unavailable')
  } finally {
    await careful.close()
  }
})
