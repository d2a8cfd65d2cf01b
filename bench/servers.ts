import { rmSync } from 'node:fs'
import path from 'node:path'

import { loadConfig, projectRoot } from '../bin/config.ts'
import type { Config } from '../bin/config.ts'
import { provideDatabase, provideTemporal, stopServers } from '../bin/startup/servers.ts'
import { workflowBundle } from '../bin/workflow-bundle.ts'
import { searchAttributes } from '../workflows/contract.ts'

export type BenchServers = {
  config: Config
  database: Awaited<ReturnType<typeof provideDatabase>>
  temporal: Awaited<ReturnType<typeof provideTemporal>>
  workflow_bundle: string
}

export const say = (line: string) => void process.stderr.write(`  ${line}\n`)

/** New embedded servers, while the work lasts. */
export async function withServers(work: (servers: BenchServers) => Promise<void>): Promise<void> {
  const data_dir = path.join(projectRoot, '.data', 'bench')
  const config = loadConfig({ DATA_DIR: data_dir })
  const context = { say, signal: AbortSignal.timeout(300_000) }
  await stopServers(config, 'at_once')
  for (const name of ['postgres', 'temporal'])
    rmSync(path.join(data_dir, name), { recursive: true, force: true })
  try {
    // Those that we are compared with want many connections; upkeep would fall into one's turn and not into another's.
    const settings = {
      max_connections: '300',
      autovacuum: 'off',
      checkpoint_timeout: '1h',
      max_wal_size: '8GB',
    }
    const database = await provideDatabase(config, { ...context, settings })
    const temporal = await provideTemporal(config, searchAttributes, context)
    await work({ config, database, temporal, workflow_bundle: await workflowBundle(data_dir) })
  } finally {
    await stopServers(config, 'orderly')
  }
}
