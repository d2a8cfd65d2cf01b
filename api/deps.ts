import type { Actor } from '../db/audit.ts'
import type { Sql } from '../db/client.ts'
import type { Caller } from '../db/directory/caller.ts'
import type { Sealer } from '../db/sealing.ts'
import type { SandboxLevel } from '../domain/sandbox-level.ts'
import type { ScriptTestInput, TestedTask } from '../domain/script-test.ts'
import type { Run } from '../domain/script-task.ts'
import type { GuardedRequest, GuardedResponse } from '../egress/send-guarded.ts'
import type { Engine } from '../engine/engine.ts'
import type { Keyring } from './keyring.ts'
import type { ScimLimits } from './limit-scim.ts'
import type { SignInLimits } from './limit-sign-ins.ts'
import type { TokenLimits } from './limit-tokens.ts'
import type { LiveHub } from './live/hub.ts'
import type { TokenSigner } from './token-signer.ts'

/** What became of a part of the product when it was asked just now; `facts` are told to who asks for more. */
export type PartHealth = { name: string; ok: boolean; detail?: string; facts?: Record<string, unknown> }

export type ManualRun = {
  run_id: string
  task_id: string
  event: Record<string, string>
  request_id: string | undefined
  actor: Caller
}

export type TestRun = { run_id: string; task: TestedTask; input: ScriptTestInput; actor: Caller }

export type ReplayRun = {
  run_id: string
  recorded_id: string
  task: TestedTask & { id: string }
  actor: Actor
}

export type Scripts = {
  /** @throws DomainError `script_invalid`, with the author's line and column */
  compile(source: string): Promise<{ code: string }>
  /** The finished run, however it ended. @throws DomainError `not_found`, `invalid_request` */
  run(run: ManualRun): Promise<Run>
  /** The finished test run, which is kept nowhere. @throws DomainError `invalid_request` */
  test(run: TestRun): Promise<Run>
  /** An earlier run beside its replay; `calls` are lines for a person. @throws DomainError `not_found`, `invalid_request` */
  replay(
    replay: ReplayRun,
  ): Promise<{ run: Run; recorded: Run; calls: { recorded: string[]; replayed: string[] } }>
}

/** Where people sign in. `has_local`: by name alone, for whoever sits at this machine. */
export type SignIn = { public_url: string; has_local: boolean }

/** Everything that the API is handed. */
export type Deps = {
  sql: Sql
  engine: Engine
  signer: TokenSigner
  /** Where the signer's keys are changed. */
  keyring: Pick<Keyring, 'jwks_max_age' | 'rotate' | 'remove'>
  scripts: Scripts
  sealer: Sealer
  sign_in: SignIn
  /** Calls a server that an admin has named by its URL, past the guard of outward calls. @throws Error */
  send: (request: GuardedRequest, signal: AbortSignal) => Promise<GuardedResponse>
  /** Issuers may be at loopback addresses, without TLS. */
  allow_private_egress: boolean
  max_duration_mins: number
  /** For each caller in this process; more is 429. */
  reads_per_minute: number
  writes_per_minute: number
  /** How often people and programs may try to sign in, over all processes. */
  limits: SignInLimits & TokenLimits & ScimLimits
  /** Where the operator sees workflows, up to the workflow's id; null: unknown. */
  workflow_url_base: string | null
  live: LiveHub
  /** The built pages; absent: the API alone. */
  pages_folder?: string | undefined
  sandboxLevel: () => SandboxLevel
  health: () => Promise<PartHealth[]>
  logError: (message: string, error?: unknown) => void
}
