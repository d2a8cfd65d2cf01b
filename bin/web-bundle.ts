import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { constants, brotliCompressSync, gzipSync } from 'node:zlib'

import { projectRoot } from './config.ts'
import { makePrivateFolder } from './embedded/private-file.ts'

const keptBundles = 3

/** Too small to gain anything, or packed already. */
const isWorthPacking = (file: string): boolean => /\.(js|css|html|svg|json)$/.test(file)

/**
 * The folder of the built pages: made once for each content of `web/` and the lockfile, beside each file its `.br` and
 * `.gz`.
 */
export async function webBundle(data_dir: string): Promise<string> {
  const parent = path.join(data_dir, 'web')
  const folder = path.join(parent, hashOfSources())
  if (existsSync(folder)) return folder
  makePrivateFolder(parent)
  const unfinished = `${folder}.${process.pid}`
  await inProduction(() => build(unfinished))
  pack(unfinished)
  moveInto(unfinished, folder)
  removeOldBundles(parent)
  return folder
}

/** How long its parts took is nothing that whoever starts the product can change. */
const quiet = { checks: { pluginTimings: false } }

/** Vite builds React as NODE_ENV says, whatever its own mode is; a test run has one of its own. */
async function inProduction(work: () => Promise<void>): Promise<void> {
  const before = process.env['NODE_ENV']
  process.env['NODE_ENV'] = 'production'
  try {
    await work()
  } finally {
    if (before === undefined) delete process.env['NODE_ENV']
    else process.env['NODE_ENV'] = before
  }
}

/** The builder is loaded only where something has to be built: it takes longer than an unchanged start may. */
async function build(outDir: string): Promise<void> {
  const [{ build }, { default: react }] = await Promise.all([import('vite'), import('@vitejs/plugin-react')])
  await build({
    root: path.join(projectRoot, 'web'),
    configFile: false,
    logLevel: 'warn',
    plugins: [react()],
    html: { cspNonce: '__CSP_NONCE__' },
    worker: { rolldownOptions: quiet },
    build: {
      rolldownOptions: quiet,
      outDir,
      emptyOutDir: true,
      target: 'es2023',
      manifest: true,
      chunkSizeWarningLimit: 5_000,
      // A data: address would need an exception in the policy.
      assetsInlineLimit: 0,
    },
  })
}

function pack(folder: string): void {
  for (const file of filesIn(folder).filter(isWorthPacking)) {
    const content = readFileSync(path.join(folder, file))
    const quality = content.length > 1_000_000 ? 5 : 9
    const packed = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } })
    writeFileSync(path.join(folder, `${file}.br`), packed)
    writeFileSync(path.join(folder, `${file}.gz`), gzipSync(content))
  }
}

/** Another process may have built the same meanwhile. */
function moveInto(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (!existsSync(to)) throw error
    rmSync(from, { recursive: true, force: true })
  }
}

function hashOfSources(): string {
  const hash = createHash('sha256')
  const sources = filesIn(path.join(projectRoot, 'web')).map((file) => path.join('web', file))
  for (const file of [...sources, 'scripts/hallpass.d.ts', 'package-lock.json', 'bin/web-bundle.ts']) {
    hash.update(`${file}\0`).update(readFileSync(path.join(projectRoot, file)))
  }
  return hash.digest('hex').slice(0, 16)
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort()
}

/** What another process is still building is left alone for an hour. */
function removeOldBundles(parent: string): void {
  const folders = readdirSync(parent).map((name) => path.join(parent, name))
  const finished = folders.filter((folder) => !/\.\d+$/.test(folder))
  const abandoned = folders.filter(
    (folder) => /\.\d+$/.test(folder) && Date.now() - changedAt(folder) > 3_600_000,
  )
  const old = finished.sort((one, other) => changedAt(other) - changedAt(one)).slice(keptBundles)
  for (const folder of [...old, ...abandoned]) rmSync(folder, { recursive: true, force: true })
}

function changedAt(folder: string): number {
  return statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
