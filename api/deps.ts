import type { Sql } from '../db/client.ts'
import type { Engine } from '../engine/engine.ts'
import type { TokenSigner } from './token-signer.ts'

/** What became of a part of the product when it was asked just now. */
export type PartHealth = { name: string; ok: boolean; detail?: string }

/** Everything that the API is handed. */
export type Deps = {
  sql: Sql
  engine: Engine
  signer: TokenSigner
  /** Strips types and checks; throws an error with `line` and `column` (from 1) for a script that does not compile. */
  compileScript: (source: string) => Promise<{ code: string }>
  max_duration_mins: number
  /** Writes a minute for each caller; more is 429. */
  writes_per_minute: number
  /** Where the operator sees workflows, up to the workflow's id; null: unknown. */
  workflow_url_base: string | null
  health: () => Promise<PartHealth[]>
  logError: (message: string, error: unknown) => void
}
