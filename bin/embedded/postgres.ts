import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { z } from 'zod'

import { isRunning } from '../setup/process-identity.mjs'
import { assertPortFree, findFreePort } from './port.ts'
import { ensureCluster, postgresUrl, postgresUser } from './postgres-cluster.ts'
import { layOutPostgres, type PostgresFiles } from './postgres-files.ts'
import { answers, ensureDatabase } from './postgres-probe.ts'
import { disarmPidFile, readPidFile, serverInPidFile } from './postmaster-pid.ts'
import {
  type Escalation,
  lastLines,
  type ProcessIdentity,
  startDaemon,
  stopProcess,
  waitUntil,
} from './process.ts'
import { readLastServer, readRunningServer, stopServer, writeServerRecord } from './server-record.ts'

export type PostgresOptions = {
  /** The folder of everything that belongs to this server. */
  directory: string
  say: (line: string) => void
  signal: AbortSignal
  /** The port it must have; a free one when absent. */
  port?: number | undefined
  /** Settings of PostgreSQL's own, by name. */
  settings?: Readonly<Record<string, string>>
  /** Whether a power cut may cost the data: for tests. */
  no_sync?: boolean
}

export type PostgresServer = {
  identity: ProcessIdentity
  port: number
  /** The address of its one database, with the password. */
  url: string
  /** Whether it was found running. */
  adopted: boolean
}

const Port = z.object({ port: z.int() })
type Running = ProcessIdentity & z.infer<typeof Port>

const orderly: Escalation = [
  { signal: 'SIGINT', patience_ms: 20_000 },
  { signal: 'SIGQUIT', patience_ms: 3000 },
  { signal: 'SIGKILL', patience_ms: 2000 },
]
const atOnce = orderly.slice(1)

/** Troubles that pass: the port was taken meanwhile, or the processes of a killed server are still ending. */
const passing = /could not bind|shared memory block/

/** Starts the PostgreSQL of a folder and waits for it, or adopts the one that runs there if it answers. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const files = layOutPostgres(options.directory, options.say)
  await ensureCluster(files, { no_sync: options.no_sync ?? false, signal: options.signal })
  const adopted = await adopt(files, options)
  const { pid, born, port } = adopted ?? (await launch(files, options))
  await ensureDatabase(files, port)
  const url = postgresUrl(files, port, postgresUser)
  return { identity: { pid, born }, port, url, adopted: adopted !== undefined }
}

/** Stops the PostgreSQL of a folder, with a checkpoint or at once. */
export async function stopPostgres(directory: string, how: 'orderly' | 'at_once'): Promise<void> {
  await stopServer(directory, how === 'orderly' ? orderly : atOnce)
}

async function adopt(
  files: PostgresFiles,
  { directory, port, say }: PostgresOptions,
): Promise<Running | undefined> {
  const left = readRunningServer(directory, Port.shape) ?? serverInPidFile(files.cluster)
  if (!left) return undefined
  const mayStay = port === undefined || port === left.port
  if (mayStay && (await waitUntil(() => answers(files, left.port), { patience_ms: 4000 }))) {
    writeServerRecord(directory, left)
    return left
  }
  if (mayStay) say('the PostgreSQL left running does not answer; replacing it')
  await stopProcess(left, mayStay ? atOnce : orderly)
  return undefined
}

async function launch(files: PostgresFiles, options: PostgresOptions): Promise<Running> {
  const deadline = Date.now() + 15_000
  for (;;) {
    try {
      return await launchOnce(files, options)
    } catch (error) {
      const mayPass = error instanceof Error && passing.test(error.message) && Date.now() < deadline
      if (!mayPass) throw error
      await sleep(300, undefined, { signal: options.signal })
    }
  }
}

async function launchOnce(files: PostgresFiles, options: PostgresOptions): Promise<Running> {
  if (options.port !== undefined) await assertPortFree(options.port, 'POSTGRES_PORT')
  const port = options.port ?? (await findFreePort(readLastServer(options.directory, Port.shape)?.port))
  disarmPidFile(files.cluster)
  const identity = await startDaemon({
    program: path.join(files.programs, 'postgres'),
    args: ['-D', files.cluster, ...settingArgs(port, options.settings ?? {})],
    log_file: files.log_file,
    account: files.account,
  })
  const server = { ...identity, port }
  writeServerRecord(options.directory, server)
  const isSettled = () => !isRunning(identity) || isReady(files.cluster, identity.pid)
  const isInTime = await waitUntil(isSettled, { patience_ms: 120_000, signal: options.signal })
  if (isInTime && isRunning(identity)) return server
  const what = isInTime ? 'PostgreSQL ended at once' : 'PostgreSQL is not ready after 120 s'
  throw new Error(`${what}; the end of ${files.log_file}:\n${lastLines(files.log_file)}`)
}

/** The file may still be the one of a server that was killed, so the id counts too. */
function isReady(cluster: string, pid: number): boolean {
  const file = readPidFile(cluster)
  return file.pid === pid && file.status === 'ready'
}

function settingArgs(port: number, settings: Readonly<Record<string, string>>): string[] {
  const all = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 60,
    ...settings,
  }
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}
