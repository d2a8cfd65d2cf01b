import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { commandLineOf, identify, type ProcessIdentity } from './process.ts'

/** What PostgreSQL notes in its data directory about the server that runs, or ran, there. */
export type PidFile = { pid: number | undefined; port: number | undefined; status: string | undefined }

/** Reads postmaster.pid: pid, data directory, start time, port, socket directory, address, shared memory, status. */
export function readPidFile(cluster: string): PidFile {
  const lines = readLines(cluster)
  return { pid: wholeNumber(lines[0]), port: wholeNumber(lines[3]), status: lines[7]?.trim() }
}

/** The server that postmaster.pid names, if that process is still the one. */
export function serverInPidFile(cluster: string): (ProcessIdentity & { port: number }) | undefined {
  const { pid, port } = readPidFile(cluster)
  if (pid === undefined || port === undefined || !commandLineOf(pid).includes(cluster)) return undefined
  const identity = identify(pid)
  return identity && { ...identity, port }
}

/**
 * After a crash the id in postmaster.pid may be that of some other process by now, or of a zombie, and PostgreSQL
 * would refuse to start. It disregards its parent's id but still looks for survivors of the old server, so the file
 * gets our id instead of being removed.
 */
export function disarmPidFile(cluster: string): void {
  const [pid, ...rest] = readLines(cluster)
  if (pid !== undefined) writeFileSync(pathIn(cluster), [process.pid, ...rest].join('\n'))
}

function pathIn(cluster: string): string {
  return path.join(cluster, 'postmaster.pid')
}

function readLines(cluster: string): string[] {
  const file = pathIn(cluster)
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
}

function wholeNumber(line: string | undefined): number | undefined {
  return Number(line) || undefined
}
