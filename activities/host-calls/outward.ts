import type { Sql } from '../../db/client.ts'
import type { Recording } from '../../db/scripts/recordings.ts'
import type { RunEnd } from '../../db/scripts/runs.ts'
import type { Sealer } from '../../db/sealing.ts'
import type { Call } from '../../domain/script-call.ts'
import type { HostHandlers } from '../../sandbox/host-calls.ts'
import { createHttpHandler } from './http.ts'
import type { TestCalls } from './http.ts'
import { createIdpHandlers, createSampleIdpHandlers } from './idp.ts'
import type { SampleRequest } from './idp.ts'
import { createRecorder } from './recorder.ts'
import { createVault } from './vault.ts'
import type { Vault } from './vault.ts'

/** What a run reaches of the world, and what may be told of it afterwards. */
export type Outward = {
  secrets: Record<string, string>
  handlers: HostHandlers
  /** The end of the run with its calls, and with names in place of secrets. */
  conclude(end: Omit<RunEnd, 'calls'>): RunEnd
  /** What the run was told and answered, with names in place of secrets. */
  recording(config: Record<string, string>): Recording
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

/** The end of a run with its calls, and with names in place of secrets. */
export const conclude = (end: Omit<RunEnd, 'calls'>, vault: Vault, calls: readonly Call[]): RunEnd => ({
  ...end,
  result: end.result === null ? null : vault.mask(end.result),
  log: end.log.map((line) => ({ ...line, text: vault.mask(line.text) })),
  error: end.error && { ...end.error, message: vault.mask(end.error.message) },
  calls: calls.map((call) => ({ ...call })),
})

/** The host calls of one run. */
export function createOutward(sql: Sql, run: OutwardRun): Outward {
  const calls: Call[] = []
  const vault = createVault(sql, run.sealer, run.secret_names)
  const policy = { hosts: run.egress_hosts, allow_private: run.allow_private_egress }
  const { idempotency_key, test } = run
  const handlers = {
    'http.request': createHttpHandler({ vault, policy, calls, idempotency_key, test }),
    ...idpOf(sql, run),
  }
  const recorder = createRecorder(handlers, vault.mask)
  return {
    secrets: vault.placeholders,
    handlers: recorder.handlers,
    conclude: (end) => conclude(end, vault, calls),
    recording: (config) => ({ config: recorder.maskAll(config), calls: recorder.calls() }),
  }
}
