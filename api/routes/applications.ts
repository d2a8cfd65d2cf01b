import { z } from '@hono/zod-openapi'

import {
  createApplication,
  deleteApplication,
  findApplication,
  listApplications,
  replaceApplication,
} from '../../db/directory/applications.ts'
import { Application, ApplicationInput } from '../../domain/directory.ts'
import { DomainError } from '../../domain/errors.ts'
import { ApplicationId } from '../../domain/ids.ts'
import { sendVersioned } from '../etag.ts'
import { pageOf, router } from '../router.ts'
import { appMappings } from './app-mappings.ts'
import {
  createRouteOf,
  deleteRoute,
  editRoute,
  getRoute,
  listRoute,
  noParams,
  sendCreated,
  writeOf,
} from './directory.ts'

const path = '/applications'
const one = '/applications/{id}'
const permission = 'applications.manage'
const params = z.object({ id: ApplicationId })

const list = listRoute({ path, params: noParams, item: Application, summary: 'List applications' })
const create = createRouteOf({
  permission,
  path,
  params: noParams,
  input: ApplicationInput,
  item: Application,
  summary: 'Create an application',
})
const get = getRoute({ path: one, params, item: Application, summary: 'Get an application' })
const replace = editRoute({
  permission,
  method: 'put',
  path: one,
  params,
  input: ApplicationInput,
  item: Application,
  summary: 'Replace an application',
})
const remove = deleteRoute({
  permission,
  path: one,
  params,
  summary: 'Delete an application that nothing refers to, with its mappings',
})

export const applications = router()
  .openapi(list, async (c) => {
    const page = pageOf('applications', c.req.valid('query'))
    return c.json(await listApplications(c.get('deps').sql, page), 200)
  })
  .openapi(create, async (c) => {
    const save = { id: c.get('operation_id'), input: c.req.valid('json'), actor: c.get('caller') }
    return sendCreated(c, path, await createApplication(c.get('deps').sql, save))
  })
  .openapi(get, async (c) => {
    const found = await findApplication(c.get('deps').sql, c.req.valid('param').id)
    if (found === undefined) throw new DomainError('not_found', 'There is no such application.')
    return sendVersioned(c, found)
  })
  .openapi(replace, async (c) => {
    const save = { ...c.req.valid('param'), input: c.req.valid('json'), ...writeOf(c) }
    return sendVersioned(c, await replaceApplication(c.get('deps').sql, save))
  })
  .openapi(remove, async (c) => {
    await deleteApplication(c.get('deps').sql, { ...c.req.valid('param'), ...writeOf(c) })
    return c.body(null, 204)
  })

applications.route('/', appMappings)
