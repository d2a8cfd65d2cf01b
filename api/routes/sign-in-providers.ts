import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'

import { getProvider, listProviders } from '../../db/sign-in/providers.ts'
import { createProvider, deleteProvider, replaceProvider } from '../../db/sign-in/save-provider.ts'
import { DomainError } from '../../domain/errors.ts'
import { SignInProvider, SignInProviderId, SignInProviderInput } from '../../domain/sign-in-provider.ts'
import { sendVersioned } from '../etag.ts'
import {
  body,
  ConditionalHeaders,
  created,
  json,
  listOf,
  manages,
  pageOf,
  PageQuery,
  problems,
  router,
  security,
  WriteHeaders,
} from '../router.ts'
import type { Env } from '../router.ts'
import { sendCreated, writeOf } from './directory.ts'

const path = '/sign-in-providers'
const one = `${path}/{id}` as const
const params = z.object({ id: SignInProviderId })
const common = { tags: ['Sign-in'], security, middleware: manages }

const list = createRoute({
  ...common,
  method: 'get',
  path,
  summary: 'List the OpenID Connect providers by which people sign in, never their secrets',
  request: { query: PageQuery },
  responses: { 200: json(listOf(SignInProvider), 'Providers, oldest first'), ...problems(403, 422) },
})

const create = createRoute({
  ...common,
  method: 'post',
  path,
  summary: 'Let people sign in by an OpenID Connect provider',
  description:
    'Register `PUBLIC_URL/auth/oidc/callback` there. Known people are found by an address that the provider has ' +
    'verified, once, and by its subject from then on. Whoever signs in is in the mapped groups of the claim.',
  request: { headers: WriteHeaders, body: body(SignInProviderInput) },
  responses: { 201: created(SignInProvider, 'Created'), ...problems(403, 409, 422) },
})

const get = createRoute({
  ...common,
  method: 'get',
  path: one,
  summary: 'Get a sign-in provider, without its secret',
  request: { params },
  responses: { 200: json(SignInProvider, 'Found; the ETag is its version'), ...problems(403, 404) },
})

const replace = createRoute({
  ...common,
  method: 'put',
  path: one,
  summary: 'Replace a sign-in provider',
  description:
    'Without `client_secret` the one that is there stays. The issuer cannot be changed. Disabling it ends the ' +
    'sessions that began by it.',
  request: { params, headers: ConditionalHeaders, body: body(SignInProviderInput) },
  responses: { 200: json(SignInProvider, 'As it is now'), ...problems(403, 404, 409, 412, 422) },
})

const remove = createRoute({
  ...common,
  method: 'delete',
  path: one,
  summary: 'Delete a sign-in provider, with the sessions and the memberships that it gave',
  request: { params, headers: ConditionalHeaders },
  responses: { 204: { description: 'Deleted' }, ...problems(403, 404, 409, 412) },
})

/** @throws DomainError `invalid_request` */
function assertScheme(c: Context<Env>, { issuer }: SignInProviderInput): void {
  if (issuer.startsWith('https://') || c.get('deps').allow_private_egress) return
  throw new DomainError('invalid_request', 'The issuer has to be an https URL.', {
    errors: [{ pointer: '/issuer', detail: 'must begin with https:// (http needs ALLOW_PRIVATE_EGRESS)' }],
  })
}

export const signInProviders = router()
  .openapi(list, async (c) => {
    const page = pageOf('sign_in_providers', c.req.valid('query'))
    return c.json(await listProviders(c.get('deps').sql, page), 200)
  })
  .openapi(create, async (c) => {
    const { sql, sealer } = c.get('deps')
    const input = c.req.valid('json')
    assertScheme(c, input)
    const save = { id: c.get('operation_id'), input, actor: c.get('caller') }
    return sendCreated(c, path, await createProvider(sql, sealer, save))
  })
  .openapi(get, async (c) => sendVersioned(c, await getProvider(c.get('deps').sql, c.req.valid('param').id)))
  .openapi(replace, async (c) => {
    const { sql, sealer } = c.get('deps')
    const input = c.req.valid('json')
    assertScheme(c, input)
    const save = { ...c.req.valid('param'), input, ...writeOf(c) }
    return sendVersioned(c, await replaceProvider(sql, sealer, save))
  })
  .openapi(remove, async (c) => {
    const change = { ...c.req.valid('param'), ...writeOf(c) }
    await deleteProvider(c.get('deps').sql, change)
    return c.body(null, 204)
  })
