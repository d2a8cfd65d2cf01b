// Runs before every npm command of this project, under whatever Node the user has (18.17 or later):
// plain JavaScript without dependencies. It does nothing when all is in place.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { withSetupLock } from './setup/lock.mjs'
import { isThisNodeFit, linkNode, provideNode } from './setup/node.mjs'
import { Interrupted, npmCi } from './setup/npm-ci.mjs'
import { patchFiles, patchModules } from './setup/patches.mjs'
import { linkPostgresLibraries } from './setup/postgres-links.mjs'
import { isRunning } from './setup/process-identity.mjs'
import { readJson, say, showProgress } from './setup/terminal.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const modules = path.join(root, 'node_modules')
const stampFile = path.join(modules, '.hallpass.json')
const link = path.join(modules, '.bin', 'node')
const wanted = {
  platform: `${process.platform}-${process.arch}`,
  lock: checksum(path.join(root, 'package-lock.json'), ...patchFiles(root)),
  runtime: checksum(path.join(root, 'runtime', 'package-lock.json')),
}

function checksum(...files) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(file))
  return hash.digest('hex').slice(0, 16)
}

function hasModules() {
  const stamp = readJson(stampFile)
  return stamp?.lock === wanted.lock && stamp.platform === wanted.platform
}

/** existsSync follows the link: a Node that the user has removed counts as missing, and so does one replaced by an unfit one. */
function isComplete() {
  if (!hasModules() || readJson(stampFile).runtime !== wanted.runtime || !existsSync(link)) return false
  return realpathSync(link) !== realpathSync(process.execPath) || isThisNodeFit()
}

/** `npm ci` empties node_modules first, which a running product would not survive. */
function assertNotInUse() {
  const running = readJson(path.resolve(root, process.env.DATA_DIR || '.data', 'run.json'))
  if (running?.born && isRunning(running)) {
    throw new Error(`the dependencies have changed: stop the running product (process ${running.pid}) first`)
  }
}

async function installModules(onChild) {
  if (hasModules()) return
  assertNotInUse()
  say('installing dependencies (once; about 110 MB to download)')
  await npmCi(root, { label: 'dependencies', include: ['dev', 'optional'], onChild })
  linkPostgresLibraries(modules)
  patchModules(root)
  const { platform, lock } = wanted
  writeFileSync(stampFile, JSON.stringify({ platform, lock }))
}

/** Both downloads at once; one that fails does not cut the other short, so that the next run finds its work done. */
async function install(onChild) {
  const began = Date.now()
  const endProgress = showProgress(
    () => `installing: ${Math.round((Date.now() - began) / 1000)} s, ${countPackages()} packages`,
  )
  const [installed, node] = await Promise.allSettled([
    installModules(onChild),
    provideNode(root, wanted.runtime, onChild),
  ])
  endProgress()
  for (const { reason } of [installed, node]) if (reason) throw reason
  linkNode(root, node.value, link)
}

function countPackages() {
  return existsSync(modules) ? readdirSync(modules).length : 0
}

async function setUp() {
  if (process.platform === 'win32') throw new Error('Windows is not supported: use the Linux subsystem (WSL)')
  if (isComplete()) return
  await withSetupLock(path.join(root, '.data', 'setup.lock'), async (onChild) => {
    if (isComplete()) return
    await install(onChild)
    writeFileSync(stampFile, JSON.stringify(wanted))
  })
}

for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
setUp().catch((error) => {
  say(`set-up failed: ${error.message}`)
  process.exitCode = error instanceof Interrupted ? 130 : 1
})
