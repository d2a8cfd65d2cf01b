import type { Sql } from '../../db/client.ts'
import { findEligibleApprovers } from '../../db/requests/approvers.ts'
import { findRequest } from '../../db/requests/find.ts'
import type { StoredRequest } from '../../db/requests/find.ts'
import type { HostHandlers } from '../../sandbox/host-calls.ts'

/** What a script is told of a request; what is added to requests later stays out until it is named here. */
const told = [
  'id',
  'status',
  'decision',
  'template_id',
  'template_name',
  'app_id',
  'app_name',
  'mappings',
  'requester_id',
  'requester_email',
  'requester_name',
  'subject_id',
  'subject_name',
  'requested_duration_mins',
  'justification',
  'ticket',
  'notified_approvers',
  'decided_by',
  'created_at',
  'decided_at',
  'expires_at',
  'ended_at',
] as const satisfies (keyof StoredRequest)[]

const notOwn = 'a script may ask only about the access request of its own event'

/** What is told in place of a request that there is not. */
export type SampleRequest = { request: { id: string } & Record<string, unknown>; approvers: unknown[] }

/** Answers `idp.…` with a sample, about that and no other. */
export function createSampleIdpHandlers({ request, approvers }: SampleRequest): HostHandlers {
  const answer = ([asked]: unknown[], value: unknown): Promise<unknown> =>
    typeof asked === 'string' && asked.toLowerCase() === request.id
      ? Promise.resolve(value)
      : Promise.reject(new Error(notOwn))
  return {
    'idp.getAccessRequest': (args) => answer(args, request),
    'idp.getAccessRequestApprovers': (args) => answer(args, approvers),
  }
}

/** Answers `idp.…`, about the request of the run's own event and no other. */
export function createIdpHandlers(sql: Sql, request_id: string | undefined): HostHandlers {
  function own([asked]: unknown[]): string {
    if (request_id === undefined) throw new Error('this run has no access request')
    if (typeof asked !== 'string' || asked.toLowerCase() !== request_id) throw new Error(notOwn)
    return request_id
  }
  return {
    'idp.getAccessRequest': async (args) => {
      const request = await findRequest(sql, own(args))
      if (request === undefined) throw new Error('there is no such access request')
      return Object.fromEntries(told.map((field) => [field, request[field]]))
    },
    'idp.getAccessRequestApprovers': async (args) => {
      const approvers = await findEligibleApprovers(sql, own(args))
      return approvers.map(({ id, email, display_name }) => ({ id, email, display_name }))
    },
  }
}
