import type { Sql } from '../../db/client.ts'
import type { RunEnd } from '../../db/scripts/runs.ts'
import type { Sealer } from '../../db/sealing.ts'
import type { Call } from '../../domain/script-call.ts'
import type { HostHandlers } from '../../sandbox/host-calls.ts'
import { createHttpHandler } from './http.ts'
import type { TestCalls } from './http.ts'
import { createIdpHandlers, createSampleIdpHandlers } from './idp.ts'
import type { SampleRequest } from './idp.ts'
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
  /** Undefined: this is a real run. `sample` stands for a request where none is named. */
  test?: TestCalls & { sample: SampleRequest }
}

function idpOf(sql: Sql, { request_id, test }: OutwardRun): HostHandlers {
  const isSample = test !== undefined && request_id === undefined
  return isSample ? createSampleIdpHandlers(test.sample) : createIdpHandlers(sql, request_id)
}

/** The host calls of one run. */
export function createOutward(sql: Sql, run: OutwardRun): Outward {
  const calls: Call[] = []
  const vault = createVault(sql, run.sealer, run.secret_names)
  const policy = { hosts: run.egress_hosts, allow_private: run.allow_private_egress }
  const { idempotency_key, test } = run
  return {
    secrets: vault.placeholders,
    handlers: {
      'http.request': createHttpHandler({ vault, policy, calls, idempotency_key, test }),
      ...idpOf(sql, run),
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
