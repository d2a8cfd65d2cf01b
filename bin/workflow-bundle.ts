import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'

import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'

import { projectRoot } from './config.ts'
import { makePrivateFolder, writePrivateFile } from './embedded/private-file.ts'

const keptBundles = 4

/**
 * The path of the workflow bundle of these sources: made once for each content of `workflows/`, `domain/` and the
 * lockfile.
 */
export async function workflowBundle(data_dir: string): Promise<string> {
  const folder = path.join(data_dir, 'bundles')
  const file = path.join(folder, `${hashOfSources()}.js`)
  if (existsSync(file)) return file
  const { code } = await bundleWorkflowCode({
    workflowsPath: path.join(projectRoot, 'workflows', 'index.ts'),
    logger: new DefaultLogger('WARN'),
  })
  makePrivateFolder(folder)
  removeOldBundles(folder)
  writePrivateFile(file, code)
  return file
}

function hashOfSources(): string {
  const hash = createHash('sha256')
  for (const file of [...filesIn('workflows'), ...filesIn('domain'), 'package-lock.json']) {
    hash.update(`${file}\0`).update(readFileSync(path.join(projectRoot, file)))
  }
  return hash.digest('hex').slice(0, 16)
}

function filesIn(folder: string): string[] {
  const entries = readdirSync(path.join(projectRoot, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(projectRoot, path.join(entry.parentPath, entry.name)))
    .sort()
}

function removeOldBundles(folder: string): void {
  const files = readdirSync(folder).map((name) => path.join(folder, name))
  const byAge = files.sort((one, other) => changedAt(other) - changedAt(one))
  for (const file of byAge.slice(keptBundles - 1)) rmSync(file, { force: true })
}

function changedAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
