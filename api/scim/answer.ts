import { Messages, Types } from 'scimmy'
import type { Context } from 'hono'
import { z } from 'zod'

import { wants } from './query.ts'
import { mediaType } from './problem.ts'

/** What every provider has to be told of a resource, whatever it asks for. */
const always = new Set(['schemas', 'id', 'meta'])

/** As the provider wants to see it: `attributes` and `excludedAttributes` name attributes of the first level. */
function shown(c: Context, resource: object): Record<string, unknown> {
  const query = c.req.query()
  const entries = Object.entries(resource).filter(
    ([name]) => always.has(name) || wants(query, name.toLowerCase()),
  )
  return Object.fromEntries(entries)
}

export function sendDocument(c: Context, document: object, status: 200 | 201 = 200): Response {
  return c.json(document, status, { 'content-type': mediaType })
}

export function sendResource(c: Context, resource: Types.Schema, status: 200 | 201 = 200): Response {
  const { location } = z.object({ location: z.string() }).parse(resource.meta)
  if (status === 201) c.header('location', location)
  return sendDocument(c, shown(c, resource), status)
}

type List = { total: number; startIndex: number; resources: object[] }

export const sendList = (c: Context, { total, startIndex, resources }: List): Response =>
  sendDocument(c, {
    schemas: [Messages.ListResponse.id],
    totalResults: total,
    startIndex,
    itemsPerPage: resources.length,
    Resources: resources.map((resource) => shown(c, resource)),
  })

/** A list that is all there is. */
export const sendDocuments = (c: Context, documents: object[]): Response =>
  sendList(c, { total: documents.length, startIndex: 1, resources: documents })
