import { Messages } from 'scimmy'
import type { Context } from 'hono'

import { wants } from './query.ts'
import { mediaType } from './problem.ts'

/** What every provider has to be told of a resource, whatever it asks for. */
const always = new Set(['schemas', 'id', 'meta'])

/** What is sent of a resource. */
export type Shown = object & { meta: { location: string } }

/** As the provider wants to see it: `attributes` and `excludedAttributes` name attributes of the first level. */
export function shown(c: Context, resource: object): Record<string, unknown> {
  const query = c.req.query()
  const entries = Object.entries(resource).filter(
    ([name]) => always.has(name) || wants(query, name.toLowerCase()),
  )
  return Object.fromEntries(entries)
}

export function sendDocument(c: Context, document: object, status: 200 | 201 = 200): Response {
  return c.json(document, status, { 'content-type': mediaType })
}

export function sendResource(c: Context, resource: Shown, status: 200 | 201 = 200): Response {
  if (status === 201) c.header('location', resource.meta.location)
  return sendDocument(c, shown(c, resource), status)
}

type Page = { total: number; startIndex: number; itemsPerPage: number }

/** All of a list but its resources. */
export const listHead = ({ total, startIndex, itemsPerPage }: Page) => ({
  schemas: [Messages.ListResponse.id],
  totalResults: total,
  startIndex,
  itemsPerPage,
})

type List = { total: number; startIndex: number; resources: object[] }

export function sendList(c: Context, { total, startIndex, resources }: List): Response {
  const head = listHead({ total, startIndex, itemsPerPage: resources.length })
  return sendDocument(c, { ...head, Resources: resources.map((resource) => shown(c, resource)) })
}

/** A list that is all there is. */
export const sendDocuments = (c: Context, documents: object[]): Response =>
  sendList(c, { total: documents.length, startIndex: 1, resources: documents })
