import { generateKeyPairSync, randomBytes } from 'node:crypto'

import { expect } from 'vitest'

import { createApp } from '../../api/app.ts'
import type { Deps } from '../../api/deps.ts'
import { createTokenSigner } from '../../api/token-signer.ts'
import type { TokenSigner } from '../../api/token-signer.ts'
import type { Sql } from '../../db/client.ts'
import { createSealer } from '../../db/sealing.ts'

const issuer = 'http://hallpass.test'

/** What the API answered; `body` is its JSON, null where there is none. */
export type Answer<Body> = { status: number; headers: Headers; body: Body }
type Fields = { [key: string]: unknown }

/** `as` is the id of the caller; a `body` that is a string is sent as it is. */
export type CallOptions = { as?: string; body?: unknown; headers?: Record<string, string> }

export type TestApi = {
  tokenFor: (identity_id: string) => Promise<string>
  /** @param path below /api/v1 */
  call: <Body = Fields>(method: string, path: string, options?: CallOptions) => Promise<Answer<Body>>
}

/** Stands where a test has none: whatever uses it fails the test. */
const missing = (name: string) =>
  new Proxy(
    {},
    {
      get: (_, member) => {
        throw new Error(`this test has no ${name}, but ${String(member)} of it was used`)
      },
    },
  ) as never

function createTestSigner(): Promise<TokenSigner> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return createTokenSigner(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), issuer)
}

/** The API over a real database and real tokens; what else it needs is handed in by the test that uses it. */
export async function createTestApi(sql: Sql, overrides: Partial<Deps> = {}): Promise<TestApi> {
  const signer = overrides.signer ?? (await createTestSigner())
  const app = createApp({
    sql,
    engine: missing('engine'),
    signer,
    keyring: missing('keyring'),
    scripts: missing('scripts'),
    live: missing('live hub'),
    sealer: createSealer([randomBytes(32)]),
    sign_in: { public_url: issuer, has_local: false },
    send: () => missing('way out'),
    allow_private_egress: false,
    max_duration_mins: 43_200,
    reads_per_minute: 1_000_000,
    writes_per_minute: 1_000_000,
    limits: {
      sign_ins_per_minute: 1_000_000,
      tokens_per_minute: 1_000_000,
      scim_calls_per_minute: 1_000_000,
      trusted_proxies: [],
    },
    workflow_url_base: null,
    sandboxLevel: () => missing('sandbox'),
    health: () => Promise.resolve([]),
    logError: (message, error) => process.stderr.write(`${message}: ${String(error)}\n`),
    ...overrides,
  })
  const tokenFor = async (identity_id: string) => {
    const iat = Math.floor(Date.now() / 1_000)
    return (await signer.sign({ sub: identity_id, aud: issuer }, { iat, exp: iat + 3_600 })).token
  }
  const call: TestApi['call'] = async (method, path, { as, body, headers } = {}) => {
    const response = await app.request(`/api/v1${path}`, {
      method,
      headers: {
        ...(as !== undefined && { authorization: `Bearer ${await tokenFor(as)}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: JSON.parse(text === '' ? 'null' : text),
    }
  }
  return { tokenFor, call }
}

/** A refusal is a problem document with this status and code, and names this field where one is given. */
export function expectRefusal(answer: Answer<unknown>, status: number, code: string, pointer?: string): void {
  expect(answer.body).toMatchObject({ status, code })
  expect(answer.status).toBe(status)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  if (pointer === undefined) return
  expect(answer.body).toMatchObject({
    errors: expect.arrayContaining([expect.objectContaining({ pointer })]),
  })
}
