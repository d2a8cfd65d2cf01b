import path from 'node:path'

import { Connection } from '@temporalio/client'
import { inject } from 'vitest'

import { startPostgres } from '../../bin/embedded/postgres.ts'
import { type ProcessIdentity, stopProcess } from '../../bin/embedded/process.ts'
import { startTemporal } from '../../bin/embedded/temporal.ts'
import { prepareNamespace } from '../../bin/embedded/temporal-namespace.ts'
import { connect } from '../../db/client.ts'
import { migrate } from '../../db/migrate.ts'
import { searchAttributes } from '../../workflows/contract.ts'
import { makeServerFolder } from './run-folder.ts'

/** A server that one test has to itself and may treat badly. It ends with the test run at the latest. */
export type DisposableServer = {
  /** `kill -9`, and waits until it is gone. */
  kill: () => Promise<void>
  /** Starts it again after a kill: same port, same store. */
  restart: () => Promise<void>
}

/** A PostgreSQL with the product's schema, which keeps what it has committed when it is killed. */
export async function startDisposablePostgres(): Promise<DisposableServer & { url: string }> {
  const directory = path.join(makeServerFolder(inject('servers').run_folder), 'postgres')
  const start = (port?: number) =>
    startPostgres({ directory, port, no_sync: true, settings: { fsync: 'off' }, ...context() })
  const { url, port, identity } = await start()
  const sql = connect(url, { max: 2 })
  await migrate(sql)
  await sql.end()
  return { url, ...killable(identity, async () => (await start(port)).identity) }
}

/** A Temporal dev server with the product's namespace, whose time can be skipped. */
export async function startDisposableTemporal(): Promise<DisposableServer & { address: string }> {
  const { run_folder, temporal_program, temporal_namespace } = inject('servers')
  const directory = path.join(makeServerFolder(run_folder), 'temporal')
  const start = (port?: number) =>
    startTemporal({
      directory,
      port,
      program: temporal_program,
      dynamic_config: ['frontend.WorkflowTimeSkippingEnabled=true'],
      ...context(),
    })
  const { address, identity } = await start()
  const connection = await Connection.connect({ address })
  await prepareNamespace(connection, temporal_namespace, searchAttributes)
  await connection.close()
  const port = Number(address.split(':').at(-1))
  return { address, ...killable(identity, async () => (await start(port)).identity) }
}

function context() {
  return { say: () => {}, signal: AbortSignal.timeout(60_000) }
}

function killable(first: ProcessIdentity, startAgain: () => Promise<ProcessIdentity>): DisposableServer {
  let identity = first
  return {
    kill: () => stopProcess(identity, [{ signal: 'SIGKILL', patience_ms: 5000 }]),
    restart: async () => {
      identity = await startAgain()
    },
  }
}
