import { createRoute, z } from '@hono/zod-openapi'

import { listSigningKeys } from '../../db/signing-keys/find.ts'
import { SigningKey } from '../../domain/signing-key.ts'
import {
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

const path = '/signing-keys'
const common = { tags: ['Signing keys'], security, middleware: manages }

const list = createRoute({
  ...common,
  method: 'get',
  path,
  summary: 'List the keys that sign tokens, never their private parts',
  request: { query: PageQuery },
  responses: {
    200: json(listOf(SigningKey), 'Keys, oldest first, also those that are gone'),
    ...problems(403, 422),
  },
})

const rotate = createRoute({
  ...common,
  method: 'post',
  path: `${path}/rotate`,
  summary: 'Have the next key sign soon',
  description:
    'It is shown in the JWKS at once, and signs from `signs_from` on, when whoever verifies tokens knows it. One that is shown already is answered again.',
  request: { headers: WriteHeaders },
  responses: { 200: json(SigningKey, 'The key that signs next'), ...problems(403) },
})

const remove = createRoute({
  ...common,
  method: 'delete',
  path: `${path}/{kid}`,
  summary: 'Take a key away at once, in an emergency',
  description:
    'What it has signed is believed no more. Where it was the key that signs, the next one does from now on.',
  request: { params: z.object({ kid: z.string().regex(/^[\w-]{43}$/) }), headers: WriteHeaders },
  responses: { 204: { description: 'Removed' }, ...problems(403, 404) },
})

export const signingKeys = router()
  .openapi(list, async (c) => {
    const page = pageOf('signing-keys', c.req.valid('query'))
    return c.json(await listSigningKeys(c.get('deps').sql, page), 200)
  })
  .openapi(rotate, async (c) => c.json(await c.get('deps').keyring.rotate(c.get('caller')), 200))
  .openapi(remove, async (c) => {
    await c.get('deps').keyring.remove(c.req.valid('param').kid, c.get('caller'))
    return c.body(null, 204)
  })
