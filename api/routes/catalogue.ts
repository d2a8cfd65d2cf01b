import { createRoute } from '@hono/zod-openapi'

import { listCatalogue } from '../../db/catalogue.ts'
import { CatalogueEntry } from '../../domain/catalogue.ts'
import { json, listOf, pageOf, PageQuery, problems, router, security } from '../router.ts'

const list = createRoute({
  method: 'get',
  path: '/catalogue',
  tags: ['Access requests'],
  security,
  summary: 'What can be asked for, by the caller and for whom',
  request: { query: PageQuery },
  responses: { 200: json(listOf(CatalogueEntry), 'Templates, oldest first'), ...problems(422) },
})

export const catalogue = router().openapi(list, async (c) => {
  const { sql, max_duration_mins } = c.get('deps')
  const asking = { caller_id: c.get('caller').id, max_duration_mins }
  return c.json(await listCatalogue(sql, asking, pageOf('catalogue', c.req.valid('query'))), 200)
})
