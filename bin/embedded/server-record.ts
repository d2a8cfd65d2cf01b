import path from 'node:path'

import { z } from 'zod'

import { isRunning } from '../setup/process-identity.mjs'
import { readJsonFile, writePrivateFile } from './private-file.ts'
import { type Escalation, ProcessIdentity, stopProcess } from './process.ts'

/** The file in a server's folder that tells which process it is, so that a later run can find it again. */
export const recordName = 'process.json'

/** Notes a server's process and ports, right after its start: a `kill -9` of ours must not lose it. */
export function writeServerRecord(folder: string, record: ProcessIdentity): void {
  writePrivateFile(path.join(folder, recordName), JSON.stringify(record))
}

/** What was noted about the last server in a folder, whether or not it still runs. */
export function readLastServer<Shape extends z.ZodRawShape>(folder: string, shape: Shape) {
  return readJsonFile(path.join(folder, recordName), ProcessIdentity.extend(shape))
}

/** What was noted about the server in a folder, if its process still runs. */
export function readRunningServer<Shape extends z.ZodRawShape>(folder: string, shape: Shape) {
  const record = readLastServer(folder, shape)
  return record && isRunning(ProcessIdentity.parse(record)) ? record : undefined
}

/** Stops the server of a folder; nothing to do when none runs. */
export async function stopServer(folder: string, escalation: Escalation): Promise<void> {
  const record = readRunningServer(folder, {})
  if (record) await stopProcess(ProcessIdentity.parse(record), escalation)
}
