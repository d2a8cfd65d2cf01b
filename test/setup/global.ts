import path from 'node:path'

import { Connection } from '@temporalio/client'
import type { TestProject } from 'vitest/node'

import { startPostgres, stopPostgres } from '../../bin/embedded/postgres.ts'
import { startTemporal, stopTemporal } from '../../bin/embedded/temporal.ts'
import { provideTemporalCli } from '../../bin/embedded/temporal-cli.ts'
import { prepareNamespace } from '../../bin/embedded/temporal-namespace.ts'
import { webBundle } from '../../bin/web-bundle.ts'
import { workflowBundle } from '../../bin/workflow-bundle.ts'
import { connect } from '../../db/client.ts'
import { migrate } from '../../db/migrate.ts'
import { searchAttributes } from '../../workflows/contract.ts'
import { provideChromium } from './chromium.ts'
import type { Chromium } from './chromium.ts'
import { databaseUrl } from './database-url.ts'
import { dataFolder, openRunFolder, removeRunFolder } from './run-folder.ts'

/** What one test run shares: a PostgreSQL cluster, a Temporal dev server and the workflow bundle. */
export type TestServers = {
  /** The server's own database, from which test databases are created. */
  database_url: string
  template_database: string
  temporal_program: string
  temporal_address: string
  temporal_namespace: string
  workflow_bundle: string
  run_folder: string
  /** Null: the tests of the pages are skipped. */
  chromium: Chromium | null
}

declare module 'vitest' {
  export interface ProvidedContext {
    servers: TestServers
  }
}

const template_database = 'hallpass_template'
const temporal_namespace = 'hallpass-test'

/** Nothing is kept after a test run, so nothing waits for a disk. */
const hasty = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' }

/** Starts the servers of a test run before its first test, and stops them after its last. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const run_folder = openRunFolder()
  // The way out of a run that is stopped by Ctrl-C or fails to start.
  const removeOnExit = () => removeRunFolder(run_folder)
  process.once('exit', removeOnExit)
  const context = { say, signal: AbortSignal.timeout(300_000) }
  const [database_url, temporal, workflow_bundle, chromium] = await Promise.all([
    startTemplate(path.join(run_folder, 'postgres'), context),
    startTestTemporal(path.join(run_folder, 'temporal'), context),
    workflowBundle(dataFolder),
    provideChromium(path.join(dataFolder, 'chromium'), context),
    // Once for all the tests that need it; what is wrong with it, they say.
    webBundle(dataFolder).catch(() => undefined),
  ])
  project.provide('servers', {
    database_url,
    template_database,
    ...temporal,
    temporal_namespace,
    workflow_bundle,
    run_folder,
    chromium: chromium ?? null,
  })
  return async () => {
    await stopTemporal(path.join(run_folder, 'temporal'), 'at_once')
    await stopPostgres(path.join(run_folder, 'postgres'), 'at_once')
    removeOnExit()
    process.off('exit', removeOnExit)
  }
}

type Context = { say: (line: string) => void; signal: AbortSignal }

async function startTemplate(directory: string, context: Context): Promise<string> {
  const { url } = await startPostgres({ directory, no_sync: true, settings: hasty, ...context })
  const server = connect(url, { max: 1, statement_timeout_ms: 60_000 })
  await server`create database ${server(template_database)}`
  await server.end()
  const template = connect(databaseUrl(url, template_database), { max: 2 })
  await migrate(template)
  await template.end()
  return url
}

async function startTestTemporal(directory: string, context: Context) {
  const temporal_program = await provideTemporalCli({ bin_folder: path.join(dataFolder, 'bin'), ...context })
  const { address } = await startTemporal({
    directory,
    program: temporal_program,
    dynamic_config: ['frontend.WorkflowTimeSkippingEnabled=true'],
    ...context,
  })
  const connection = await Connection.connect({ address })
  await prepareNamespace(connection, temporal_namespace, searchAttributes)
  await connection.close()
  return { temporal_program, temporal_address: address }
}

function say(line: string): void {
  process.stderr.write(`  ${line}\n`)
}
