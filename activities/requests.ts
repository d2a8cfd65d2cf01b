import { applyCommand } from '../db/requests/apply.ts'
import type { CommandKey } from '../db/requests/apply.ts'
import { escalateRequest, expireRequest, sweep } from '../db/requests/clock.ts'
import { findEngineView } from '../db/requests/view.ts'
import type { Sql } from '../db/client.ts'
import { DomainError } from '../domain/errors.ts'
import type { CommandOutcome, RequestView } from '../workflows/contract.ts'
import { refusing } from './refusal.ts'

type Due = { request_id: string; as_of: number }

/** What a request's workflow does to the database. Each is safe to run twice. */
export function createRequestActivities(sql: Sql) {
  async function load(request_id: string): Promise<RequestView> {
    const view = await findEngineView(sql, request_id)
    if (view === undefined) throw new DomainError('not_found', 'There is no such request.')
    return view
  }
  return {
    loadRequest: refusing(({ request_id }: { request_id: string }) => load(request_id)),
    applyCommand: refusing(
      async (key: CommandKey): Promise<{ outcome: CommandOutcome; view: RequestView }> => {
        const outcome = await applyCommand(sql, key)
        return { outcome, view: await load(key.request_id) }
      },
    ),
    escalateRequest: refusing(async (due: Due): Promise<RequestView> => {
      await escalateRequest(sql, due)
      return load(due.request_id)
    }),
    expireRequest: refusing(async (due: Due): Promise<RequestView> => {
      await expireRequest(sql, due)
      return load(due.request_id)
    }),
    sweepRequests: async (): Promise<number> => (await sweep(sql)).length,
  }
}
