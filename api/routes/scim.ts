import { createRoute, z } from '@hono/zod-openapi'

import { linkGroup, listScimLinks, unlinkGroup } from '../../db/scim/links.ts'
import { createScimToken, deleteScimToken, listScimTokens } from '../../db/scim/tokens.ts'
import { GroupId } from '../../domain/ids.ts'
import { NewScimToken, ScimLink, ScimToken, ScimTokenId, ScimTokenInput } from '../../domain/scim.ts'
import {
  body,
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

const tokens = '/scim-tokens'
const groups = '/scim-groups'
const common = { tags: ['SCIM'], security, middleware: manages }

const listTokens = createRoute({
  ...common,
  method: 'get',
  path: tokens,
  summary: 'List the tokens of identity providers, never their values',
  request: { query: PageQuery },
  responses: { 200: json(listOf(ScimToken), 'Tokens, oldest first'), ...problems(403, 422) },
})

const createToken = createRoute({
  ...common,
  method: 'post',
  path: tokens,
  summary: 'Make a token for an identity provider, for /scim/v2',
  description:
    'Its value is answered once. With `may_manage_privileged_groups` the provider may also fill groups that carry ' +
    'permissions or own applications, and change people who hold such.',
  request: { headers: WriteHeaders, body: body(ScimTokenInput) },
  responses: { 201: created(NewScimToken, 'Made'), ...problems(403, 409, 422) },
})

const removeToken = createRoute({
  ...common,
  method: 'delete',
  path: `${tokens}/{id}`,
  summary: 'Remove the token of an identity provider',
  request: { params: z.object({ id: ScimTokenId }), headers: WriteHeaders },
  responses: { 204: { description: 'Removed' }, ...problems(403, 404) },
})

const listGroups = createRoute({
  ...common,
  method: 'get',
  path: groups,
  summary: 'List the groups whose people an identity provider keeps',
  request: { query: PageQuery },
  responses: { 200: json(listOf(ScimLink), 'Groups, oldest first'), ...problems(403, 422) },
})

const one = {
  ...common,
  path: '/scim-groups/{id}' as const,
  request: { params: z.object({ id: GroupId }), headers: WriteHeaders },
}

const link = createRoute({
  ...one,
  method: 'put',
  summary: 'Hand the people of a standing group over to the identity provider',
  responses: { 204: { description: 'Linked' }, ...problems(403, 404, 409) },
})

const unlink = createRoute({
  ...one,
  method: 'delete',
  summary: 'Take a group back from the identity provider: it stays as it is',
  responses: { 204: { description: 'Taken back' }, ...problems(403, 404) },
})

/** How an identity provider comes to keep people and groups here. */
export const scimSetUp = router()
  .openapi(listTokens, async (c) => {
    const page = pageOf('scim_tokens', c.req.valid('query'))
    return c.json(await listScimTokens(c.get('deps').sql, page), 200)
  })
  .openapi(createToken, async (c) => {
    const save = { id: c.get('operation_id'), input: c.req.valid('json'), actor: c.get('caller') }
    const made = await createScimToken(c.get('deps').sql, save)
    return c.json(made, 201, { location: `/api/v1${tokens}/${made.id}`, 'cache-control': 'no-store' })
  })
  .openapi(removeToken, async (c) => {
    await deleteScimToken(c.get('deps').sql, { ...c.req.valid('param'), actor: c.get('caller') })
    return c.body(null, 204)
  })
  .openapi(listGroups, async (c) => {
    const page = pageOf('scim_groups', c.req.valid('query'))
    return c.json(await listScimLinks(c.get('deps').sql, page), 200)
  })
  .openapi(link, async (c) => {
    await linkGroup(c.get('deps').sql, { group_id: c.req.valid('param').id, actor: c.get('caller') })
    return c.body(null, 204)
  })
  .openapi(unlink, async (c) => {
    await unlinkGroup(c.get('deps').sql, { group_id: c.req.valid('param').id, actor: c.get('caller') })
    return c.body(null, 204)
  })
