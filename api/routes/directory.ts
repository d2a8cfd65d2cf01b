import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'

import type { Versioned } from '../../db/templates.ts'
import type { Permission } from '../../domain/directory.ts'
import { readIfMatch } from '../etag.ts'
import {
  body,
  ConditionalHeaders,
  created,
  json,
  listOf,
  may,
  optionalBody,
  PageQuery,
  problems,
  security,
  WriteHeaders,
} from '../router.ts'
import type { Env } from '../router.ts'

const tags = ['Directory']

type Params = z.ZodObject

type Read<Path extends string, In extends Params, Item extends z.ZodType> = {
  path: Path
  params: In
  item: Item
  summary: string
}

export const listRoute = <Path extends string, In extends Params, Item extends z.ZodType>({
  path,
  params,
  item,
  summary,
}: Read<Path, In, Item>) =>
  createRoute({
    method: 'get',
    path,
    tags,
    security,
    summary,
    request: { params, query: PageQuery },
    responses: { 200: json(listOf(item), 'A page of them'), ...problems(404, 422) },
  })

export const getRoute = <Path extends string, In extends Params, Item extends z.ZodType>({
  path,
  params,
  item,
  summary,
}: Read<Path, In, Item>) =>
  createRoute({
    method: 'get',
    path,
    tags,
    security,
    summary,
    request: { params },
    responses: { 200: json(item, 'Found; the ETag is its version'), ...problems(404) },
  })

type Write<Path extends string, In extends Params, Input extends z.ZodType> = {
  path: Path
  params: In
  input: Input
  /** Who writes holds it. */
  permission: Permission
  summary: string
  description?: string
}

export const createRouteOf = <
  Path extends string,
  In extends Params,
  Input extends z.ZodType,
  Item extends z.ZodType,
>({
  params,
  input,
  item,
  permission,
  ...rest
}: Write<Path, In, Input> & { item: Item }) =>
  createRoute({
    method: 'post',
    tags,
    security,
    middleware: may(permission),
    ...rest,
    request: { params, headers: WriteHeaders, body: body(input) },
    responses: { 201: created(item, 'Created'), ...problems(403, 404, 409, 422) },
  })

export const editRoute = <
  Method extends 'put' | 'patch',
  Path extends string,
  In extends Params,
  Input extends z.ZodType,
  Item extends z.ZodType,
>({
  params,
  input,
  item,
  permission,
  ...rest
}: Write<Path, In, Input> & { method: Method; item: Item }) =>
  createRoute({
    tags,
    security,
    middleware: may(permission),
    ...rest,
    request: { params, headers: ConditionalHeaders, body: body(input) },
    responses: { 200: json(item, 'As it is now'), ...problems(403, 404, 409, 412, 422) },
  })

/** A PUT that says that something belongs to something; its body may be absent. */
export const linkRoute = <Path extends string, In extends Params, Input extends z.ZodType>({
  params,
  input,
  permission,
  ...rest
}: Write<Path, In, Input>) =>
  createRoute({
    method: 'put',
    tags,
    security,
    middleware: may(permission),
    ...rest,
    request: { params, headers: ConditionalHeaders, body: optionalBody(input) },
    responses: { 204: { description: 'So it is' }, ...problems(403, 404, 409, 412, 422) },
  })

export const deleteRoute = <Path extends string, In extends Params>({
  params,
  permission,
  ...rest
}: Omit<Write<Path, In, z.ZodType>, 'input'>) =>
  createRoute({
    method: 'delete',
    tags,
    security,
    middleware: may(permission),
    ...rest,
    request: { params, headers: ConditionalHeaders },
    responses: { 204: { description: 'Gone' }, ...problems(403, 404, 409, 412) },
  })

/** Of a list that is nobody's part. */
export const noParams = z.object({})

/** Answers a creation: where the new thing is, what it is, and its version. */
export function sendCreated<Resource extends { id: string }>(
  c: Context,
  path: string,
  { resource, version }: Versioned<Resource>,
) {
  return c.json(resource, 201, { location: `/api/v1${path}/${resource.id}`, etag: `"${version}"` })
}

/** What every edit and removal hands to the database besides the change itself. */
export const writeOf = (c: Context<Env>) => ({ actor: c.get('caller'), precondition: readIfMatch(c) })
