import { createRoute, z } from '@hono/zod-openapi'

import { createToken, deleteToken, listTokens } from '../../db/sign-in/personal-access-tokens.ts'
import {
  NewPersonalAccessToken,
  PersonalAccessToken,
  PersonalAccessTokenId,
  PersonalAccessTokenInput,
} from '../../domain/personal-access-token.ts'
import {
  body,
  created,
  json,
  listOf,
  pageOf,
  PageQuery,
  problems,
  router,
  security,
  WriteHeaders,
} from '../router.ts'

const path = '/personal-access-tokens'
const common = { tags: ['Sign-in'], security }

const list = createRoute({
  ...common,
  method: 'get',
  path,
  summary: 'List your personal access tokens, never their values',
  request: { query: PageQuery },
  responses: { 200: json(listOf(PersonalAccessToken), 'Tokens, oldest first'), ...problems(422) },
})

const create = createRoute({
  ...common,
  method: 'post',
  path,
  summary: 'Make a personal access token',
  description:
    'Its value is answered once. `read`: every GET; `request`: submit, cancel or revoke what is yours, messages; ' +
    '`decide`: approve, deny, revoke; `token`: tokens for applications, which end with it at the latest; `admin`: every ' +
    'other write. Not with a personal access token.',
  request: { headers: WriteHeaders, body: body(PersonalAccessTokenInput) },
  responses: { 201: created(NewPersonalAccessToken, 'Made'), ...problems(403, 422) },
})

const remove = createRoute({
  ...common,
  method: 'delete',
  path: `${path}/{id}`,
  summary: 'Remove one of your personal access tokens',
  request: { params: z.object({ id: PersonalAccessTokenId }), headers: WriteHeaders },
  responses: { 204: { description: 'Removed' }, ...problems(403, 404) },
})

export const personalAccessTokens = router()
  .openapi(list, async (c) => {
    const page = pageOf('personal_access_tokens', c.req.valid('query'))
    return c.json(await listTokens(c.get('deps').sql, c.get('caller').id, page), 200)
  })
  .openapi(create, async (c) => {
    const save = { id: c.get('operation_id'), input: c.req.valid('json'), caller: c.get('caller') }
    const made = await createToken(c.get('deps').sql, save)
    const location = `/api/v1${path}/${made.id}`
    return c.json(made, 201, { location, 'cache-control': 'no-store' })
  })
  .openapi(remove, async (c) => {
    await deleteToken(c.get('deps').sql, { ...c.req.valid('param'), caller: c.get('caller') })
    return c.body(null, 204)
  })
