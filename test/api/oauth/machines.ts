import { randomUUID } from 'node:crypto'

import { expect } from 'vitest'

import { findFreePort } from '../../../bin/embedded/port.ts'
import { rows } from '../../../db/client.ts'
import { startTestProduct } from '../../setup/product.ts'
import type { Caller, TestProduct, TestProductOptions } from '../../setup/product.ts'

type Fields = { [key: string]: unknown }

/** What `/oauth` answered; `body` is null where there is none. */
export type OAuthAnswer = { status: number; headers: Headers; body: Fields }

export type Machine = { id: string; secret: string }

export type Machines = {
  product: TestProduct
  admin: Caller
  /** The demo organisation's application. */
  app: { id: string; slug: string }
  /** A service account of alice, in a group whose mapping says `roles = <its own>`. */
  addMachine: (fields?: Fields) => Promise<Machine & { role: string; group_id: string; mapping_id: string }>
  addCredential: (identity_id: string, credential: Fields) => Promise<Fields & { id: string }>
  post: (path: string, fields: Fields | string, headers?: Record<string, string>) => Promise<OAuthAnswer>
}

/** What was sent as a form; a list is sent as the parameter several times. */
export const formOf = (fields: Fields): string =>
  new URLSearchParams(
    Object.entries(fields).flatMap(([name, value]) =>
      [value].flat().map((one): [string, string] => [name, String(one)]),
    ),
  ).toString()

export const basic = ({ id, secret }: Machine): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
})

/** A product that answers at its own public URL, so that what it says of itself is true. */
export async function startMachines(options: TestProductOptions = {}): Promise<Machines> {
  const port = await findFreePort()
  const public_url = `http://127.0.0.1:${port}`
  const product = await startTestProduct({
    port,
    public_url,
    allow_private_egress: true,
    without_worker: true,
    ...options,
  })
  const [admin, alice] = [await product.as('admin'), await product.as('alice')]
  const create = async (path: string, body: unknown) => {
    const answer = await admin.call<Fields & { id: string }>('POST', path, body)
    expect(answer).toMatchObject({ status: 201 })
    return answer.body
  }
  const [app] = await rows<{ id: string; slug: string }>(product.sql`select id, slug from applications`)
  if (app === undefined) throw new Error('there is no application')
  const addCredential: Machines['addCredential'] = (id, credential) =>
    create(`/identities/${id}/credentials`, credential)
  return {
    product,
    admin,
    app,
    addCredential,
    async addMachine(fields = {}) {
      const name = `bot-${randomUUID()}`
      const identity = {
        kind: 'service_account',
        email: name,
        display_name: name,
        owner_id: alice.id,
        purpose: 'Runs the builds',
        privilege_class: 'low',
      }
      const { id } = await create('/identities', { ...identity, ...fields })
      const { id: group_id } = await create('/groups', { name })
      const mapping = { name, claim: 'roles', value: name }
      const { id: mapping_id } = await create(`/applications/${app.id}/mappings`, mapping)
      await admin.call('PUT', `/groups/${group_id}/mappings/${mapping_id}`)
      await admin.call('PUT', `/groups/${group_id}/members/${id}`)
      const { client_secret } = await addCredential(id, { type: 'client_secret' })
      return { id, secret: String(client_secret), role: name, group_id, mapping_id }
    },
    async post(path, fields, headers = {}) {
      const response = await fetch(`${product.url}/oauth${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: typeof fields === 'string' ? fields : formOf(fields),
      })
      const text = await response.text()
      return {
        status: response.status,
        headers: response.headers,
        body: JSON.parse(text || 'null') as Fields,
      }
    },
  }
}

/** A refusal is a document of RFC 6749 that nobody keeps. */
export function expectOAuthError(answer: OAuthAnswer, status: number, error: string): void {
  expect(answer.body).toEqual({ error, error_description: expect.any(String) as string })
  expect(answer.status).toBe(status)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(answer.headers.get('content-type')).toBe('application/json')
}

export type TokenEvent = { kind: string; object_id: string | null; detail: Fields }

/** What the audit log says of tokens for an identity, oldest first. */
export const tokenEventsOf = ({ product }: Machines, id: string): Promise<TokenEvent[]> =>
  rows<TokenEvent>(product.sql`
    select kind, object_id, detail from audit_events
    where kind like 'token.%' and detail ->> 'client_id' = ${id} order by seq`)
