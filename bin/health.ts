import type { Connection } from '@temporalio/client'

import type { PartHealth } from '../api/deps.ts'
import type { Sql } from '../db/client.ts'
import type { SandboxLevel } from '../domain/sandbox-level.ts'
import { accepts } from '../engine/engine.ts'
import type { Sandbox } from '../sandbox/run-script.ts'

type Parts = {
  sql: Sql
  connection: Connection
  temporal_address: string
  isWorking: () => boolean
  sandbox: Sandbox
}

const patienceMs = 2_000

async function check(name: string, ask: () => Promise<string | undefined>): Promise<PartHealth> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`no answer within ${patienceMs} ms`)), patienceMs).unref()
  })
  try {
    const detail = await Promise.race([ask(), late])
    return { name, ok: true, ...(detail !== undefined && { detail }) }
  } catch (error) {
    return {
      name,
      ok: false,
      detail: error instanceof Error && error.message !== '' ? error.message : 'does not answer',
    }
  }
}

/** The same facts that health tells, as the API shows them. */
export function describeSandbox(sandbox: Sandbox): SandboxLevel {
  const { name: level, minimum, walls, missing, block_refusal } = sandbox.level()
  const block_allowed = block_refusal === null
  return { level, minimum, walls_standing: walls, walls_missing: missing, block_allowed, block_refusal }
}

/** Asks every part just now. */
export function checkHealth({
  sql,
  connection,
  temporal_address,
  isWorking,
  sandbox,
}: Parts): Promise<PartHealth[]> {
  const { name: level, walls, missing, block_refusal } = sandbox.level()
  const walled = { name: 'sandbox', ok: true, detail: level, facts: { level, walls, missing, block_refusal } }
  return Promise.all([
    check('database', async () => void (await sql`select 1`)),
    check('temporal', async () => {
      if (!(await accepts(temporal_address))) throw new Error('refuses connections')
      await connection.withDeadline(Date.now() + patienceMs, () =>
        connection.workflowService.getSystemInfo({}),
      )
      return undefined
    }),
    check('worker', async () => {
      if (!isWorking()) throw new Error('is not running')
      return undefined
    }),
    Promise.resolve(walled),
  ])
}
