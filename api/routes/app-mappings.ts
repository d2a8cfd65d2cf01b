import { z } from '@hono/zod-openapi'

import {
  createAppMapping,
  deleteAppMapping,
  findAppMapping,
  listAppMappings,
  mappingsOf,
  replaceAppMapping,
} from '../../db/directory/app-mappings.ts'
import { findApplication } from '../../db/directory/applications.ts'
import { AppMapping, AppMappingInput } from '../../domain/directory.ts'
import { DomainError } from '../../domain/errors.ts'
import { ApplicationId, MappingId } from '../../domain/ids.ts'
import { sendVersioned } from '../etag.ts'
import { pageOf, router } from '../router.ts'
import {
  createRouteOf,
  deleteRoute,
  editRoute,
  getRoute,
  listRoute,
  sendCreated,
  writeOf,
} from './directory.ts'

const path = '/app-mappings/{id}'
const permission = 'applications.manage'
const params = z.object({ id: MappingId })
const within = { path: '/applications/{id}/mappings' as const, params: z.object({ id: ApplicationId }) }

const list = listRoute({ ...within, item: AppMapping, summary: 'List the mappings of an application' })
const create = createRouteOf({
  permission,
  ...within,
  input: AppMappingInput,
  item: AppMapping,
  summary: 'Create a mapping: one entitlement of an application',
})
const get = getRoute({ path, params, item: AppMapping, summary: 'Get a mapping' })
const replace = editRoute({
  permission,
  method: 'put',
  path,
  params,
  input: AppMappingInput,
  item: AppMapping,
  summary: 'Replace a mapping',
  description: 'While a pending or approved request names the mapping, its claim and value cannot change.',
})
const remove = deleteRoute({ permission, path, params, summary: 'Delete a mapping that nothing refers to' })

export const appMappings = router()
  .openapi(list, async (c) => {
    const { id } = c.req.valid('param')
    const { sql } = c.get('deps')
    const page = pageOf(mappingsOf(id), c.req.valid('query'))
    const application = await findApplication(sql, id)
    if (application === undefined) throw new DomainError('not_found', 'There is no such application.')
    return c.json(await listAppMappings(sql, id, page), 200)
  })
  .openapi(create, async (c) => {
    const { id: app_id } = c.req.valid('param')
    const save = { id: c.get('operation_id'), app_id, input: c.req.valid('json'), actor: c.get('caller') }
    return sendCreated(c, '/app-mappings', await createAppMapping(c.get('deps').sql, save))
  })
  .openapi(get, async (c) => {
    const found = await findAppMapping(c.get('deps').sql, c.req.valid('param').id)
    if (found === undefined) throw new DomainError('not_found', 'There is no such mapping.')
    return sendVersioned(c, found)
  })
  .openapi(replace, async (c) => {
    const save = { ...c.req.valid('param'), input: c.req.valid('json'), ...writeOf(c) }
    return sendVersioned(c, await replaceAppMapping(c.get('deps').sql, save))
  })
  .openapi(remove, async (c) => {
    await deleteAppMapping(c.get('deps').sql, { ...c.req.valid('param'), ...writeOf(c) })
    return c.body(null, 204)
  })
