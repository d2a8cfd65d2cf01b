import { spawnSync } from 'node:child_process'
import crypto from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'

import { npmCi } from './npm-ci.mjs'
import { readJson, say } from './terminal.mjs'

/** The module ABIs of Node 24 and 26, for which isolated-vm ships binaries. */
const fitAbis = ['137', '147']

/** Whether the Node that runs this very script can run the product. */
export function isThisNodeFit() {
  return fitAbis.includes(process.versions.modules) && typeof crypto.randomUUIDv7 === 'function'
}

/** The Node to run the product: the user's own if it is fit, else Node 24 from runtime/, installed if need be. */
export async function provideNode(root, runtimeLock, onChild) {
  const folder = path.join(root, 'runtime')
  if (isThisNodeFit() && !isWithin(process.execPath, folder)) return process.execPath
  const stamp = path.join(folder, 'node_modules', '.hallpass.json')
  const installed = findNode(folder)
  if (installed && readJson(stamp)?.lock === runtimeLock) return installed
  say(`this is Node ${process.versions.node}; fetching Node 24 for this folder only (about 45 MB, once)`)
  await npmCi(folder, { label: 'Node 24', include: ['optional'], onChild })
  const fetched = findNode(folder)
  if (!fetched) {
    throw new Error(
      `npm has no Node 24 for ${process.platform}-${process.arch}: install Node 24 and run the command again`,
    )
  }
  writeFileSync(stamp, JSON.stringify({ lock: runtimeLock }))
  return fetched
}

/**
 * Links node_modules/.bin/node to this Node, once it is sure to run the product. package.json names the link in
 * full, since bash remembers where it found the first `node` of a line.
 */
export function linkNode(root, node, link) {
  assertNativeModulesLoad(root, node)
  mkdirSync(path.dirname(link), { recursive: true })
  rmSync(link, { force: true })
  // The project's own Node by a relative link, so that the folder may be moved.
  symlinkSync(isWithin(node, root) ? path.relative(path.dirname(link), node) : node, link)
}

/** From the second start on PATH makes `node` the one in runtime/, which is not the user's. */
function isWithin(file, folder) {
  return existsSync(folder) && realpathSync(file).startsWith(realpathSync(folder) + path.sep)
}

function findNode(folder) {
  const modules = path.join(folder, 'node_modules')
  const names = existsSync(modules) ? readdirSync(modules) : []
  return names
    .filter((name) => name.startsWith('node-'))
    .map((name) => path.join(modules, name, 'bin', 'node'))
    .find((file) => existsSync(file))
}

function assertNativeModulesLoad(root, node) {
  const script = "require('isolated-vm'); require('@temporalio/core-bridge')"
  const { status, stderr, error } = spawnSync(node, ['-e', script], { cwd: root, encoding: 'utf8' })
  if (status === 0) return
  process.stderr.write(stderr ?? '')
  const reason = error?.message ?? 'see the message above'
  throw new Error(
    `the native modules do not load under ${node} (${reason}): Linux with glibc or macOS, x64 or arm64, is needed`,
  )
}
