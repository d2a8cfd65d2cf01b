import { createRoute, z } from '@hono/zod-openapi'

import {
  createTemplate,
  deleteTemplate,
  findTemplate,
  listTemplates,
  replaceTemplate,
} from '../../db/templates.ts'
import { DomainError } from '../../domain/errors.ts'
import { TemplateId } from '../../domain/ids.ts'
import { Template, TemplateInput } from '../../domain/template.ts'
import { readIfMatch, sendVersioned } from '../etag.ts'
import {
  body,
  ConditionalHeaders,
  created,
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

const path = '/access-request-templates'
const tags = ['Templates']
const params = z.object({ id: TemplateId })

const list = createRoute({
  method: 'get',
  path,
  tags,
  security,
  summary: 'List templates',
  request: { query: PageQuery },
  responses: { 200: json(listOf(Template), 'Templates, oldest first'), ...problems(422) },
})

const get = createRoute({
  method: 'get',
  path: `${path}/{id}`,
  tags,
  security,
  summary: 'Get a template',
  request: { params },
  responses: { 200: json(Template, 'The template; its ETag is its version'), ...problems(404) },
})

const create = createRoute({
  method: 'post',
  path,
  tags,
  security,
  summary: 'Create a template',
  middleware: may('templates.manage'),
  request: { headers: WriteHeaders, body: body(TemplateInput) },
  responses: { 201: created(Template, 'Created'), ...problems(403, 409, 422) },
})

const replace = createRoute({
  method: 'put',
  path: `${path}/{id}`,
  tags,
  security,
  summary: 'Replace a template',
  description: 'Requests that exist keep the template as it was when they were submitted.',
  middleware: may('templates.manage'),
  request: { params, headers: ConditionalHeaders, body: body(TemplateInput) },
  responses: { 200: json(Template, 'Replaced'), ...problems(403, 404, 409, 412, 422) },
})

const remove = createRoute({
  method: 'delete',
  path: `${path}/{id}`,
  tags,
  security,
  summary: 'Delete a template that no open request uses',
  middleware: may('templates.manage'),
  request: { params, headers: ConditionalHeaders },
  responses: { 204: { description: 'Deleted' }, ...problems(403, 404, 409, 412) },
})

export const templates = router()
  .openapi(list, async (c) => {
    const page = pageOf('templates', c.req.valid('query'))
    return c.json(await listTemplates(c.get('deps').sql, page), 200)
  })
  .openapi(get, async (c) => {
    const found = await findTemplate(c.get('deps').sql, c.req.valid('param').id)
    if (found === undefined) throw new DomainError('not_found', 'There is no such template.')
    return sendVersioned(c, found)
  })
  .openapi(create, async (c) => {
    const id = c.get('operation_id')
    const input = c.req.valid('json')
    const { resource, version } = await createTemplate(c.get('deps').sql, {
      id,
      input,
      actor: c.get('caller'),
    })
    return c.json(resource, 201, { location: `/api/v1${path}/${id}`, etag: `"${version}"` })
  })
  .openapi(replace, async (c) => {
    const { id } = c.req.valid('param')
    const save = { id, input: c.req.valid('json'), actor: c.get('caller'), precondition: readIfMatch(c) }
    return sendVersioned(c, await replaceTemplate(c.get('deps').sql, save))
  })
  .openapi(remove, async (c) => {
    const { id } = c.req.valid('param')
    await deleteTemplate(c.get('deps').sql, { id, actor: c.get('caller'), precondition: readIfMatch(c) })
    return c.body(null, 204)
  })
