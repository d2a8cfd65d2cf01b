import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createApp } from '../../api/app.ts'
import { errorCodes } from '../../domain/errors.ts'
import { startTestProduct } from '../setup/product.ts'
import type { Caller, TestProduct } from '../setup/product.ts'

type Json = { [key: string]: unknown }
type Parameter = { name: string; in: string; required?: boolean; schema: Json }
type Response = { description: string; content?: { [type: string]: { schema: Json } } }
type Operation = {
  operationId: string
  summary: string
  tags: string[]
  security: Json[]
  parameters?: Parameter[]
  requestBody?: { required?: boolean; content: { [type: string]: { schema: Json } } }
  responses: { [status: string]: Response }
}
type Document = Json & {
  openapi: string
  info: Json
  servers: { url: string }[]
  paths: { [path: string]: { [method: string]: Operation } }
  components: { schemas: { [name: string]: Json }; securitySchemes: Json }
}
type Entry = { method: string; path: string; operation: Operation }

let it: TestProduct
let alice: Caller
let admin: Caller
let document: Document
let operations: Entry[]

beforeAll(async () => {
  it = await startTestProduct()
  ;[alice, admin] = await Promise.all([it.as('alice'), it.as('admin')])
  document = (await (await fetch(`${it.url}/api/v1/openapi.json`)).json()) as Document
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method, path, operation })),
  )
})
afterAll(() => it.close())

const named = ({ method, path }: Entry) => `${method.toUpperCase()} ${path}`

/** Every object in the document, with where it stands. */
function* walk(value: unknown, at = ''): Generator<[string, Json]> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield [at, value as Json]
  for (const [key, member] of Object.entries(value)) yield* walk(member, `${at}/${key}`)
}

const resolve = (ref: string): unknown =>
  ref
    .slice(2)
    .split('/')
    .reduce<unknown>((value, key) => (value as Json | undefined)?.[key], document)

/** Sections 3, 7 and 12 of the specification, as far as they are built. */
const specified = `
  GET /access-request-templates; POST /access-request-templates
  GET /access-request-templates/{id}; PUT /access-request-templates/{id}; DELETE /access-request-templates/{id}
  GET /access-requests; POST /access-requests; GET /access-requests/pending; GET /access-requests/all
  GET /access-requests/{id}
  POST /access-requests/{id}/approve; POST /access-requests/{id}/deny; POST /access-requests/{id}/revoke
  GET /access-requests/{id}/messages; POST /access-requests/{id}/messages
  GET /access-requests/{id}/commands/{command_id}
  GET /scheduled-tasks; POST /scheduled-tasks
  GET /scheduled-tasks/{id}; PUT /scheduled-tasks/{id}; DELETE /scheduled-tasks/{id}
  POST /scheduled-tasks/{id}/run; GET /scheduled-tasks/{id}/runs; GET /scheduled-tasks/{id}/versions
  GET /identities; POST /identities; GET /identities/{id}; PATCH /identities/{id}
  GET /identities/{id}/credentials; POST /identities/{id}/credentials
  GET /identities/{id}/credentials/{credential_id}; DELETE /identities/{id}/credentials/{credential_id}
  GET /groups; POST /groups; GET /groups/{id}; PUT /groups/{id}; DELETE /groups/{id}
  GET /groups/{id}/members; PUT /groups/{id}/members/{identity_id}; DELETE /groups/{id}/members/{identity_id}
  PUT /groups/{id}/mappings/{mapping_id}; DELETE /groups/{id}/mappings/{mapping_id}
  GET /applications; POST /applications
  GET /applications/{id}; PUT /applications/{id}; DELETE /applications/{id}
  GET /applications/{id}/mappings; POST /applications/{id}/mappings
  GET /app-mappings/{id}; PUT /app-mappings/{id}; DELETE /app-mappings/{id}
  GET /me; POST /applications/{id}/token`
  .split(/[;\n]/)
  .map((route) => route.trim())
  .filter((route) => route !== '')

describe('the OpenAPI document', () => {
  test('is read without a token, and says what it is', async () => {
    const response = await fetch(`${it.url}/api/v1/openapi.json`)
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json'])
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Hallpass' } })
    expect(document.servers).toEqual([{ url: 'http://hallpass.test/api/v1' }])
    expect(document.components.securitySchemes).toMatchObject({
      bearer: { type: 'http', scheme: 'bearer' },
    })
  })

  test('names every route of the specification', () => {
    expect(operations.map(named)).toEqual(expect.arrayContaining(specified))
  })

  test('names every route that there is', () => {
    const signer = { issuer: 'http://hallpass.test', jwks: { keys: [] } }
    const limits = { sign_ins_per_minute: 1, tokens_per_minute: 1, trusted_proxies: [] }
    const app = createApp({ signer, limits, reads_per_minute: 1, writes_per_minute: 1 } as never)
    const served = app.routes
      .filter(({ method, path }) => method !== 'ALL' && path.startsWith('/api/v1/'))
      .map(({ method, path }) => `${method} ${path.slice('/api/v1'.length).replaceAll(/:(\w+)/g, '{$1}')}`)
      .filter((route) => route !== 'GET /openapi.json')
    expect([...new Set(served)].toSorted()).toEqual(operations.map(named).toSorted())
  })

  test('refers only to what is in it, and holds nothing of older versions', () => {
    for (const [at, value] of walk(document)) {
      const ref = value['$ref']
      if (typeof ref === 'string') expect([at, resolve(ref)]).toEqual([at, expect.any(Object)])
      if (!at.includes('/properties/'))
        expect([at, Object.keys(value)]).not.toEqual([at, expect.arrayContaining(['nullable'])])
    }
  })

  test('has schemas of JSON Schema’s types', () => {
    const types = ['string', 'integer', 'number', 'boolean', 'object', 'array', 'null']
    for (const [at, { type }] of walk(document.components.schemas)) {
      if (typeof type === 'string') expect([at, types]).toEqual([at, expect.arrayContaining([type])])
      if (Array.isArray(type)) expect([at, types]).toEqual([at, expect.arrayContaining(type)])
    }
    expect(document.components.schemas['Problem']).toMatchObject({
      properties: { code: { enum: [...errorCodes] } },
    })
  })

  test('gives every operation a name of its own, a summary, a group and its security', () => {
    const names = operations.map(({ operation }) => operation.operationId)
    expect(new Set(names).size).toBe(names.length)
    for (const { operation } of operations) {
      expect(operation.operationId).toMatch(/^(get|post|put|patch|delete)(_[a-z]+)+$/)
      expect(operation).toMatchObject({
        summary: expect.stringMatching(/./),
        tags: [expect.any(String)],
        security: [{ bearer: [] }],
      })
    }
  })

  test('declares each part of a path, as required', () => {
    for (const entry of operations) {
      const inPath = [...entry.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const declared = (entry.operation.parameters ?? []).filter((parameter) => parameter.in === 'path')
      expect([named(entry), declared.map(({ name }) => name)]).toEqual([named(entry), inPath])
      for (const { required } of declared) expect(required).toBe(true)
    }
  })

  test('says of every operation how it succeeds and how it refuses, refusals as problems', () => {
    const problem = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
    for (const entry of operations) {
      const { responses } = entry.operation
      const statuses = Object.keys(responses)
      expect([named(entry), statuses]).toEqual([named(entry), expect.arrayContaining(['401', '500', '503'])])
      expect([named(entry), statuses.some((status) => status.startsWith('2'))]).toEqual([named(entry), true])
      if (entry.path.includes('{'))
        expect([named(entry), statuses]).toEqual([named(entry), expect.arrayContaining(['404'])])
      for (const [status, { description, content }] of Object.entries(responses)) {
        expect(description).not.toBe('')
        if (Number(status) >= 400)
          expect([named(entry), status, content]).toEqual([named(entry), status, problem])
      }
    }
  })

  test('says of every write that its body and its Idempotency-Key can be refused, and of no read', () => {
    for (const entry of operations) {
      const { responses, parameters = [] } = entry.operation
      const ofWrites = ['400', '409', '413', '415', '422', '429']
      const isWrite = entry.method !== 'get'
      if (isWrite)
        expect([named(entry), Object.keys(responses)]).toEqual([
          named(entry),
          expect.arrayContaining(ofWrites),
        ])
      else
        expect([named(entry), Object.keys(responses)]).not.toEqual([
          named(entry),
          expect.arrayContaining(['429']),
        ])
      expect([named(entry), parameters.some(({ name }) => name === 'idempotency-key')]).toEqual([
        named(entry),
        isWrite,
      ])
    }
  })

  test('lets no input have fields that it does not name', () => {
    for (const entry of operations) {
      const schema = entry.operation.requestBody?.content['application/json']?.schema
      if (schema === undefined) continue
      const input = typeof schema['$ref'] === 'string' ? resolve(schema['$ref']) : schema
      const { oneOf = [input] } = input as { oneOf?: unknown[] }
      for (const kind of oneOf)
        expect([named(entry), kind]).toMatchObject([named(entry), { additionalProperties: false }])
    }
  })

  test('pages every list in the same way', () => {
    const lists = operations.filter(({ operation }) =>
      JSON.stringify(operation.responses['200'] ?? {}).includes('next_cursor'),
    )
    expect(lists.length).toBeGreaterThan(10)
    for (const entry of lists)
      expect([named(entry), Object.keys(entry.operation.responses)]).toEqual([
        named(entry),
        expect.arrayContaining(['422']),
      ])
    for (const { operation } of lists)
      expect(operation.parameters).toEqual(
        expect.arrayContaining([
          expect.objectContaining({
            name: 'limit',
            schema: expect.objectContaining({ minimum: 1, maximum: 200, default: 50 }),
          }),
          expect.objectContaining({ name: 'cursor' }),
        ]),
      )
  })

  test('names only what answers: without a token 401, with one never "nothing at this address"', async () => {
    // A stream has no end that could be read; test/product/live.test.ts looks at it.
    for (const { method, path } of operations.filter((operation) => operation.path !== '/events')) {
      const url = `/api/v1${path.replaceAll(/\{\w+\}/g, () => randomUUID())}`
      const init = { method: method.toUpperCase() }
      expect([path, (await fetch(`${it.url}${url}`, init)).status]).toEqual([path, 401])
      for (const caller of [alice, admin]) {
        const { status, body } = await caller.call(init.method, url.slice('/api/v1'.length))
        expect(status).toBeLessThan(500)
        expect(JSON.stringify(body)).not.toContain('nothing at this address')
      }
    }
  })
})

describe('the page of the documentation', () => {
  const load = async (path: string) => {
    const response = await fetch(`${it.url}${path}`)
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

  test('loads from this host alone, and its policy lets it load from nowhere else', async () => {
    const { status, headers, text } = await load('/api/docs')
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=UTF-8'])
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain(`default-src 'none'`)
    expect(policy).toContain(`script-src 'self';`)
    expect(policy).toContain(`frame-ancestors 'none'`)
    expect(policy).not.toMatch(/https?:|\*|unsafe-eval/)
    expect(text).not.toMatch(/https?:|\/\/[a-z]/)
    expect(text).not.toMatch(/<script>|\son\w+=|<style/)
  })

  test('has everything that it refers to', async () => {
    const { text } = await load('/api/docs')
    const references = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target]) => target ?? '')
    expect(references).toHaveLength(4)
    for (const target of references) {
      expect(target).toMatch(/^\/api\/docs\//)
      const answer = await load(target)
      expect([target, answer.status]).toEqual([target, 200])
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    }
  })

  test('starts on the document of this product, and asks nobody whether it is valid', async () => {
    const { text } = await load('/api/docs/boot.js')
    expect(text).toContain(`url: '/api/v1/openapi.json'`)
    expect(text).toContain('validatorUrl: null')
    expect(text).not.toMatch(/https?:/)
  })

  test('has a style sheet that loads nothing', async () => {
    const { text } = await load('/api/docs/swagger-ui.css')
    expect(text).not.toMatch(/@import|url\(\s*["']?(https?:)?\/\//)
  })
})
