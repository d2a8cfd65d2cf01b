import path from 'node:path'

import { Connection } from '@temporalio/client'

import { isRunning } from '../setup/process-identity.mjs'
import { isListening } from './port.ts'
import { makePrivateFolder } from './private-file.ts'
import {
  type Escalation,
  lastLines,
  ProcessIdentity,
  startDaemon,
  stopProcess,
  waitUntil,
} from './process.ts'
import { readRunningServer, stopServer, writeServerRecord } from './server-record.ts'
import { chooseLaunch, Launch, serverArgs, type TemporalOptions } from './temporal-command.ts'

export type TemporalServer = {
  identity: ProcessIdentity
  /** Where workers and clients connect to: HOST:PORT. */
  address: string
  /** The address of its Web UI. */
  ui_url: string
  /** Whether it was found running. */
  adopted: boolean
}

type Running = ProcessIdentity & Launch

const orderly: Escalation = [
  { signal: 'SIGTERM', patience_ms: 10_000 },
  { signal: 'SIGKILL', patience_ms: 2000 },
]
const atOnce = orderly.slice(1)

/** Another process took the port between our look and the server's. */
const passing = /address already in use/

/** Starts the Temporal dev server of a folder and waits for it, or adopts the one that runs there if it answers. */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  makePrivateFolder(options.directory)
  const adopted = await adopt(options)
  const { pid, born, port, ui_port } = adopted ?? (await launch(options))
  return {
    identity: { pid, born },
    address: addressOf(port),
    ui_url: `http://127.0.0.1:${ui_port}`,
    adopted: adopted !== undefined,
  }
}

/** Stops the Temporal of a folder. Nothing that it has acknowledged is lost either way. */
export async function stopTemporal(directory: string, how: 'orderly' | 'at_once'): Promise<void> {
  await stopServer(directory, how === 'orderly' ? orderly : atOnce)
}

async function adopt(options: TemporalOptions): Promise<Running | undefined> {
  const left = readRunningServer(options.directory, Launch.shape)
  if (!left) return undefined
  const mayStay =
    left.program === options.program &&
    (options.port ?? left.port) === left.port &&
    (options.ui_port ?? left.ui_port) === left.ui_port
  if (mayStay && (await waitUntil(() => answers(left.port), { patience_ms: 4000 }))) return left
  options.say('the Temporal server left running does not answer or fit; replacing it')
  await stopProcess(left, mayStay ? atOnce : orderly)
  return undefined
}

async function launch(options: TemporalOptions): Promise<Running> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await launchOnce(options)
    } catch (error) {
      const mayPass = error instanceof Error && passing.test(error.message) && attempt < 4
      if (!mayPass) throw error
    }
  }
}

async function launchOnce(options: TemporalOptions): Promise<Running> {
  const launch = await chooseLaunch(options)
  const log_file = path.join(options.directory, 'temporal.log')
  const args = serverArgs(launch, options)
  const identity = await startDaemon({ program: options.program, args, log_file })
  const server = { ...identity, ...launch }
  writeServerRecord(options.directory, server)
  const isSettled = async () => !isRunning(identity) || (await answers(launch.port))
  const isInTime = await waitUntil(isSettled, { patience_ms: 60_000, signal: options.signal })
  if (isInTime && isRunning(identity)) return server
  const what = isInTime ? 'Temporal ended at once' : 'Temporal is not ready after 60 s'
  throw new Error(`${what}; the end of ${log_file}:\n${lastLines(log_file)}`)
}

function addressOf(port: number): string {
  return `127.0.0.1:${port}`
}

async function answers(port: number): Promise<boolean> {
  // A first connection that is refused makes gRPC wait for a second.
  if (!(await isListening(port))) return false
  try {
    const connection = await Connection.connect({ address: addressOf(port), connectTimeout: 1000 })
    await connection.close()
    return true
  } catch {
    return false
  }
}
