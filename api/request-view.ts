import type { Context } from 'hono'

import type { AccessRequest } from '../domain/access-request.ts'
import { DomainError } from '../domain/errors.ts'
import { findRequest } from '../db/requests/find.ts'
import type { StoredRequest } from '../db/requests/find.ts'
import type { Page } from '../db/paging.ts'
import { workflowId } from '../workflows/contract.ts'
import type { Deps } from './deps.ts'
import type { Env } from './router.ts'

/** A request as the API shows it: with the address of its workflow in the operator's UI, where that is known. */
export function viewRequest({ workflow_url_base }: Deps, request: StoredRequest): AccessRequest {
  const id = encodeURIComponent(workflowId(request.id))
  return { ...request, workflow_url: workflow_url_base && `${workflow_url_base}/${id}` }
}

export const viewPage = (deps: Deps, { data, next_cursor }: Page<StoredRequest>): Page<AccessRequest> => ({
  data: data.map((request) => viewRequest(deps, request)),
  next_cursor,
})

export const noRequest = () => new DomainError('not_found', 'There is no such request.')

export async function sendRequest(c: Context<Env>, id: string) {
  const deps = c.get('deps')
  const request = await findRequest(deps.sql, id)
  if (request === undefined) throw noRequest()
  return c.json(viewRequest(deps, request), 200)
}
