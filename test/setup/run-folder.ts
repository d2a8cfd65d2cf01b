import { existsSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'

import { projectRoot } from '../../bin/config.ts'
import { makePassableFolder, readJsonFile, writePrivateFile } from '../../bin/embedded/private-file.ts'
import { identify, ProcessIdentity, sendSignal } from '../../bin/embedded/process.ts'
import { readRunningServer, recordName } from '../../bin/embedded/server-record.ts'
import { isRunning } from '../../bin/setup/process-identity.mjs'

/** The folder that outlives test runs: programs and bundles are kept there. */
export const dataFolder = path.join(projectRoot, '.data')

/** Makes the folder of this test run, after removing those of runs that were killed. */
export function openRunFolder(): string {
  makePassableFolder(dataFolder)
  for (const folder of globSync(path.join(dataFolder, 'test-*'))) {
    if (!isOwnerRunning(folder)) removeRunFolder(folder)
  }
  const folder = path.join(dataFolder, `test-${process.pid}`)
  makePassableFolder(folder)
  writePrivateFile(ownerFile(folder), JSON.stringify(identify(process.pid)))
  return folder
}

/** Ends every server of a test run, without waiting, and removes its folder. */
export function removeRunFolder(folder: string): void {
  for (const record of globSync(path.join(folder, `{*,*/*}/${recordName}`))) killServer(path.dirname(record))
  for (const moved of globSync(path.join(folder, '{*,*/*}/moved-to'))) {
    rmSync(readFileSync(moved, 'utf8'), { recursive: true, force: true, maxRetries: 10 })
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
}

/** A new folder for a server that one test has to itself. */
export function makeServerFolder(runFolder: string): string {
  const folder = path.join(runFolder, `server-${crypto.randomUUID()}`)
  mkdirSync(folder, { mode: 0o711 })
  return folder
}

function isOwnerRunning(folder: string): boolean {
  const owner = existsSync(ownerFile(folder)) && readJsonFile(ownerFile(folder), ProcessIdentity)
  return Boolean(owner && isRunning(owner))
}

function ownerFile(folder: string): string {
  return path.join(folder, 'owner.json')
}

/** PostgreSQL takes SIGQUIT as "at once", and gives its shared memory back. */
function killServer(folder: string): void {
  const server = readRunningServer(folder, {})
  if (server) sendSignal(server, path.basename(folder) === 'postgres' ? 'SIGQUIT' : 'SIGKILL')
}
