import path from 'node:path'

import { Connection } from '@temporalio/client'

import { connect } from '../../db/client.ts'
import type { Config } from '../config.ts'
import { startPostgres, stopPostgres } from '../embedded/postgres.ts'
import type { PostgresOptions } from '../embedded/postgres.ts'
import type { ProcessIdentity } from '../embedded/process.ts'
import { startTemporal, stopTemporal } from '../embedded/temporal.ts'
import { provideTemporalCli } from '../embedded/temporal-cli.ts'
import { prepareNamespace, type SearchAttributes } from '../embedded/temporal-namespace.ts'

/** A server of ours: what it is called, its process, and where to read why it ended. */
export type Part = { name: string; identity: ProcessIdentity; log_file: string }

export type StartContext = { say: (line: string) => void; signal: AbortSignal }

/** The database that DATABASE_URL names, or the embedded one. */
export async function provideDatabase(
  config: Config,
  context: StartContext & Pick<PostgresOptions, 'settings'>,
) {
  if (config.database_url !== undefined) {
    await assertDatabaseAnswers(config.database_url)
    return { url: config.database_url, parts: [] }
  }
  const directory = postgresFolder(config)
  const { identity, url } = await startPostgres({ directory, port: config.postgres_port, ...context })
  return { url, parts: [{ name: 'PostgreSQL', identity, log_file: path.join(directory, 'postgres.log') }] }
}

/** The Temporal that TEMPORAL_ADDRESS names, or the embedded one, with our namespace in it. */
export async function provideTemporal(
  config: Config,
  searchAttributes: SearchAttributes,
  context: StartContext,
) {
  const temporal = config.temporal_address
    ? { address: config.temporal_address, ui_url: null, parts: [] }
    : await startEmbeddedTemporal(config, context)
  const connection = await connectToTemporal(temporal.address)
  try {
    await prepareNamespace(connection, config.temporal_namespace, searchAttributes)
  } finally {
    await connection.close()
  }
  return { ...temporal, ui_url: config.temporal_ui_url ?? temporal.ui_url }
}

/** Stops whatever embedded servers run in the data directory, started or adopted; Temporal first, it may be writing. */
export async function stopServers(config: Config, how: 'orderly' | 'at_once'): Promise<void> {
  await stopTemporal(temporalFolder(config), how)
  await stopPostgres(postgresFolder(config), how)
}

async function assertDatabaseAnswers(url: string): Promise<void> {
  const sql = connect(url, { max: 1 })
  try {
    await sql`select 1`
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`the database at ${new URL(url).host} cannot be used (${reason}): check DATABASE_URL`, {
      cause: error,
    })
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function startEmbeddedTemporal(config: Config, context: StartContext) {
  const directory = temporalFolder(config)
  const program = await provideTemporalCli({ bin_folder: path.join(config.data_dir, 'bin'), ...context })
  const { identity, address, ui_url } = await startTemporal({
    directory,
    program,
    port: config.temporal_port,
    ui_port: config.temporal_ui_port,
    ...context,
  })
  const parts = [{ name: 'Temporal', identity, log_file: path.join(directory, 'temporal.log') }]
  return { address, ui_url, parts }
}

async function connectToTemporal(address: string): Promise<Connection> {
  try {
    return await Connection.connect({ address })
  } catch (error) {
    throw new Error(`Temporal at ${address} does not answer: check TEMPORAL_ADDRESS`, { cause: error })
  }
}

function postgresFolder(config: Config): string {
  return path.join(config.data_dir, 'postgres')
}

function temporalFolder(config: Config): string {
  return path.join(config.data_dir, 'temporal')
}
