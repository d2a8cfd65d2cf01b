import { OpenAPIHono, z } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'

import { holds } from '../db/directory/caller.ts'
import type { Caller } from '../db/directory/caller.ts'
import { decodeCursor } from '../db/paging.ts'
import type { PageRequest } from '../db/paging.ts'
import type { Permission } from '../domain/directory.ts'
import { DomainError, pointerTo } from '../domain/errors.ts'
import type { FieldError } from '../domain/errors.ts'
import type { Session } from '../domain/session.ts'
import type { Deps } from './deps.ts'
import { sayIssue } from './plain-words.ts'
import { Problem } from './problem.ts'

z.config({ customError: sayIssue })

/**
 * `operation_id` names what a write creates: under an Idempotency-Key the same key gives the same id. `needed`: the
 * permission that let the caller through, where the route asks for one.
 */
export type Env = {
  Variables: { deps: Deps; session: Session; caller: Caller; operation_id: string; needed?: Permission }
}

export const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD'

type Issue = { path: PropertyKey[]; message: string; code: string; keys?: string[] }

/** Nobody reads more, and a refusal must not be larger than what was refused. */
const shownErrors = 20

function fieldErrors(issue: Issue): FieldError[] {
  if (issue.code !== 'unrecognized_keys') return [{ pointer: pointerTo(issue.path), detail: issue.message }]
  return (issue.keys ?? []).slice(0, shownErrors).map((key) => ({
    pointer: pointerTo([...issue.path, key.slice(0, 200)]),
    detail: 'is not a known field',
  }))
}

function refuse(target: string, issues: readonly Issue[]): DomainError {
  if (target === 'param') return new DomainError('not_found', 'There is no such thing.')
  const found = issues.flatMap(fieldErrors)
  const errors = found.slice(0, shownErrors)
  const detail = errors.map((error) => `${error.pointer.slice(1) || 'the body'}: ${error.detail}`).join('; ')
  return new DomainError('invalid_request', `The request is not valid: ${detail}.`, { errors })
}

/** A router whose refusals are problem documents. */
export function router<Own extends Env = Env>(): OpenAPIHono<Own> {
  return new OpenAPIHono<Own>({
    defaultHook: (result) => {
      if (!result.success) throw refuse(result.target, result.error.issues)
    },
  })
}

/** Lets callers through who hold a permission, by itself or by one that implies it. */
export const may =
  (permission: Permission): MiddlewareHandler<Env> =>
  async (c, next) => {
    if (!holds(c.get('caller'), permission))
      throw new DomainError('forbidden', `This needs the permission ${permission}.`)
    c.set('needed', permission)
    await next()
  }

export const manages = may('access_requests.manage')

/** The query of every list. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
})

export const pageOf = (list: string, query: z.infer<typeof PageQuery>): PageRequest => ({
  limit: query.limit,
  after: decodeCursor(list, query.cursor),
})

export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), next_cursor: z.string().nullable() })

export const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { 'application/json': { schema } },
})

export const body = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { 'application/json': { schema } },
})

export const optionalBody = <Schema extends z.ZodType>(schema: Schema) => ({
  content: { 'application/json': { schema } },
})

export const created = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  ...json(schema, description),
  headers: z.object({ location: z.string() }),
})

/** The refusals that every route can give, and those of this one; what every write can give, `docs.ts` adds. */
export const problems = (...statuses: (403 | 404 | 409 | 412 | 422)[]) =>
  Object.fromEntries(
    [401, 500, 503, ...statuses].map((status) => [
      status,
      { description: 'Refused', content: { 'application/problem+json': { schema: Problem } } },
    ]),
  )

export const security = [{ bearer: [] }]

/** What every write takes, besides its own headers. */
export const WriteHeaders = z.object({ 'idempotency-key': z.string().max(255).optional() })

export const ConditionalHeaders = WriteHeaders.extend({ 'if-match': z.string().max(1_000).optional() })
