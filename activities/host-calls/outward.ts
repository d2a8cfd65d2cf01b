import type { Sql } from '../../db/client.ts'
import type { RunEnd } from '../../db/scripts/runs.ts'
import type { Sealer } from '../../db/sealing.ts'
import type { Call } from '../../domain/script-call.ts'
import type { HostHandlers } from '../../sandbox/host-calls.ts'
import { createHttpHandler } from './http.ts'
import { createIdpHandlers } from './idp.ts'
import { createVault } from './vault.ts'

/** What a run reaches of the world, and what may be told of it afterwards. */
export type Outward = {
  secrets: Record<string, string>
  handlers: HostHandlers
  /** The end of the run with its calls, and with names in place of secrets. */
  conclude(end: Omit<RunEnd, 'calls'>): RunEnd
}

type OutwardRun = {
  sealer: Sealer
  allow_private_egress: boolean
  secret_names: readonly string[]
  egress_hosts: readonly string[]
  request_id: string | undefined
  idempotency_key: string
}

/** The host calls of one run. */
export function createOutward(sql: Sql, run: OutwardRun): Outward {
  const calls: Call[] = []
  const vault = createVault(sql, run.sealer, run.secret_names)
  const policy = { hosts: run.egress_hosts, allow_private: run.allow_private_egress }
  const { idempotency_key, request_id } = run
  return {
    secrets: vault.placeholders,
    handlers: {
      'http.request': createHttpHandler({ vault, policy, calls, idempotency_key }),
      ...createIdpHandlers(sql, request_id),
    },
    conclude: (end) => ({
      ...end,
      result: end.result === null ? null : vault.mask(end.result),
      log: end.log.map((line) => ({ ...line, text: vault.mask(line.text) })),
      error: end.error && { ...end.error, message: vault.mask(end.error.message) },
      calls: calls.map((call) => ({ ...call })),
    }),
  }
}
