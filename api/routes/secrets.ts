import { createRoute, z } from '@hono/zod-openapi'

import { deleteSecret, listSecrets, putSecret } from '../../db/scripts/secrets.ts'
import { DomainError } from '../../domain/errors.ts'
import { Secret, SecretInput, SecretName } from '../../domain/secret.ts'
import {
  body,
  json,
  listOf,
  may,
  pageOf,
  PageQuery,
  problems,
  router,
  security,
  WriteHeaders,
} from '../router.ts'

const path = '/secrets'
const params = z.object({ name: z.string().max(500) })
const common = { tags: ['Secrets'], security, middleware: may('scripts.manage') }

const list = createRoute({
  ...common,
  method: 'get',
  path,
  summary: 'List secrets, never their values',
  request: { query: PageQuery },
  responses: { 200: json(listOf(Secret), 'Secrets, oldest first'), ...problems(403, 422) },
})

const put = createRoute({
  ...common,
  method: 'put',
  path: `${path}/{name}`,
  summary: 'Create or replace a secret',
  description:
    'Nothing answers with the value again. Scripts get a placeholder for it, which calls to `hosts` carry the value for.',
  request: { params, headers: WriteHeaders, body: body(SecretInput) },
  responses: { 200: json(Secret, 'Kept'), ...problems(403, 404, 422) },
})

const remove = createRoute({
  ...common,
  method: 'delete',
  path: `${path}/{name}`,
  summary: 'Delete a secret',
  request: { params, headers: WriteHeaders },
  responses: { 204: { description: 'Deleted' }, ...problems(403, 404) },
})

/** A name that no secret can have is told to whoever wants to make one. @throws DomainError `invalid_request` */
function assertName(name: string): void {
  const { error } = SecretName.safeParse(name)
  if (error === undefined) return
  const detail = error.issues[0]?.message ?? 'is not a name'
  throw new DomainError('invalid_request', `The name of a secret ${detail}.`, {
    errors: [{ pointer: '/name', detail }],
  })
}

export const secrets = router()
  .openapi(list, async (c) => {
    const page = pageOf('secrets', c.req.valid('query'))
    return c.json(await listSecrets(c.get('deps').sql, page), 200)
  })
  .openapi(put, async (c) => {
    const { sql, sealer } = c.get('deps')
    const { name } = c.req.valid('param')
    assertName(name)
    const save = { id: c.get('operation_id'), name, input: c.req.valid('json'), actor: c.get('caller') }
    return c.json(await putSecret(sql, sealer, save), 200)
  })
  .openapi(remove, async (c) => {
    const { name } = c.req.valid('param')
    await deleteSecret(c.get('deps').sql, { name, actor: c.get('caller') })
    return c.body(null, 204)
  })
