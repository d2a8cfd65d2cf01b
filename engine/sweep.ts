import type { Sql } from '../db/client.ts'
import { forgetOldKeys } from '../db/idempotency.ts'
import { forgetFullBuckets } from '../db/rate-limits.ts'
import { forgetMakers } from '../db/oauth/makers.ts'
import { forgetEndedTokens } from '../db/oauth/used-ids.ts'
import { sweep } from '../db/requests/clock.ts'
import { disableFailing } from '../db/scripts/auto-disable.ts'
import { forgetOldEvents, forgetOldRuns } from '../db/scripts/retention.ts'
import { closeStaleRuns } from '../db/scripts/runs.ts'
import { forgetEnded } from '../db/sign-in/sessions.ts'
import type { Engine } from './engine.ts'

export type Sweeping = {
  sql: Sql
  engine: Engine
  log: (message: string, error?: unknown) => void
  run_retention_days: number
}

/** Ends what is overdue, even while the engine is away, then cleans up and disables what keeps failing. */
export async function sweepAll({ sql, engine, log, run_retention_days }: Sweeping): Promise<void> {
  const ended = await sweep(sql)
  if (ended.length > 0) log(`the sweep ended ${ended.length} overdue request(s): ${ended.join(', ')}`)
  await Promise.all(ended.map((id) => engine.poke(id)))
  await closeStaleRuns(sql)
  for (const { name, reason } of await disableFailing(sql))
    log(`the script task ${name} has been disabled: ${reason}`)
  await forgetOldKeys(sql)
  await forgetEndedTokens(sql)
  await forgetMakers(sql)
  await forgetEnded(sql)
  await forgetFullBuckets(sql)
  await forgetOldRuns(sql, run_retention_days)
  await forgetOldEvents(sql, run_retention_days)
}
