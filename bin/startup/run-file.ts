import { rmSync } from 'node:fs'
import path from 'node:path'

import { z } from 'zod'

import { isRunning } from '../setup/process-identity.mjs'
import { readJsonFile, writePrivateFile } from '../embedded/private-file.ts'
import { identify, ProcessIdentity } from '../embedded/process.ts'

/** What other commands need to find the running product. */
export const RunFile = ProcessIdentity.extend({
  url: z.string(),
  public_url: z.string(),
  database_url: z.string(),
  embedded: z.boolean(),
  temporal_address: z.string(),
  temporal_ui_url: z.string().nullable(),
  temporal_namespace: z.string(),
})
export type RunFile = z.infer<typeof RunFile>

/** Notes that the product runs in this process, for `npm run demo` and the like. It holds the database's password. */
export function writeRunFile(data_dir: string, run: Omit<RunFile, 'pid' | 'born'>): void {
  writePrivateFile(fileIn(data_dir), JSON.stringify({ ...identify(process.pid), ...run }, undefined, 2))
}

/** The product that runs, and is ready, on this data directory. */
export function findRunningProduct(data_dir: string): RunFile | undefined {
  const run = readJsonFile(fileIn(data_dir), RunFile)
  return run && isRunning({ pid: run.pid, born: run.born }) ? run : undefined
}

/** To be called when the product stops. */
export function removeRunFile(data_dir: string): void {
  rmSync(fileIn(data_dir), { force: true })
}

function fileIn(data_dir: string): string {
  return path.join(data_dir, 'run.json')
}
