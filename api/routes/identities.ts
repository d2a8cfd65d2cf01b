import { createRoute, z } from '@hono/zod-openapi'

import {
  createIdentity,
  findIdentity,
  listIdentities,
  updateIdentity,
} from '../../db/directory/identities.ts'
import { Identity, IdentityInput, IdentityPatch } from '../../domain/directory.ts'
import { DomainError } from '../../domain/errors.ts'
import { IdentityId } from '../../domain/ids.ts'
import { sendVersioned } from '../etag.ts'
import { json, listOf, pageOf, PageQuery, problems, router, security } from '../router.ts'
import { createRouteOf, editRoute, getRoute, noParams, sendCreated, writeOf } from './directory.ts'

const path = '/identities'
const one = '/identities/{id}'
const permission = 'directory.manage'
const params = z.object({ id: IdentityId })

const list = createRoute({
  method: 'get',
  path,
  tags: ['Directory'],
  security,
  summary: 'List people and non-human identities',
  request: {
    query: PageQuery.extend({
      orphaned: z
        .enum(['true', 'false'])
        .optional()
        .describe('`true`: only non-human identities that no active person owns'),
    }),
  },
  responses: { 200: json(listOf(Identity), 'A page of them'), ...problems(422) },
})
const create = createRouteOf({
  permission,
  path,
  params: noParams,
  input: IdentityInput,
  item: Identity,
  summary: 'Create an identity',
  description:
    'A person has an e-mail address. Any other kind has an owner, who is an active person, a purpose, a privilege class, ' +
    'and an end or an age at which its credentials are changed: 90 days unless it says so.',
})
const get = getRoute({ path: one, params, item: Identity, summary: 'Get an identity' })
const update = editRoute({
  permission,
  method: 'patch',
  path: one,
  params,
  input: IdentityPatch,
  item: Identity,
  summary: 'Change an identity',
  description:
    'Fields that are absent stay as they are. Disabling an identity, or ending it, revokes its pending requests and ' +
    'its grants at once; enabling it again restores none of them. An identity is never deleted.',
})

export const identities = router()
  .openapi(list, async (c) => {
    const query = c.req.valid('query')
    const orphaned = query.orphaned === undefined ? undefined : query.orphaned === 'true'
    const wanted = { ...pageOf('identities', query), orphaned }
    return c.json(await listIdentities(c.get('deps').sql, wanted), 200)
  })
  .openapi(create, async (c) => {
    const save = { id: c.get('operation_id'), input: c.req.valid('json'), actor: c.get('caller') }
    return sendCreated(c, path, await createIdentity(c.get('deps').sql, save))
  })
  .openapi(get, async (c) => {
    const found = await findIdentity(c.get('deps').sql, c.req.valid('param').id)
    if (found === undefined) throw new DomainError('not_found', 'There is no such identity.')
    return sendVersioned(c, found)
  })
  .openapi(update, async (c) => {
    const change = { ...c.req.valid('param'), patch: c.req.valid('json'), ...writeOf(c) }
    return sendVersioned(c, await updateIdentity(c.get('deps').sql, change))
  })
