import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

import { say } from './terminal.mjs'

/** Set-up was stopped by a signal. */
export class Interrupted extends Error {
  constructor() {
    super('stopped; run the command again to go on')
  }
}

const advice = [
  [/ENOSPC/, 'the disk is full: make room (about 600 MB are needed) and run the command again'],
  [
    /EACCES|EPERM/,
    'some files cannot be written: check who owns this folder and npm’s cache (`npm config get cache`)',
  ],
  [/EINTEGRITY/, 'a package differs from its checksum: run `npm cache verify` and the command again'],
  [/EBADPLATFORM/, 'no packages for this kind of machine: use Linux (glibc) or macOS'],
  [/E401|E403|E404|ETARGET/, 'the npm registry in use lacks a package: check `npm config get registry`'],
  [
    /ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|CERT|network/i,
    'the npm registry cannot be reached: check network and proxy (`npm ping`), then run the command again',
  ],
]

const inheritedSettings =
  /^npm_(config_(prefix|local_prefix|global|location|workspaces?|ignore_scripts|dry_run|package_lock|package_lock_only|omit|include|only|production|loglevel|engine_strict)|lifecycle_|package_)/i

/**
 * `npm ci` in a folder, without install scripts and whatever the outer npm was told.
 * `onChild` receives npm's pid.
 */
export async function npmCi(folder, { label, include, onChild }) {
  const began = Date.now()
  const child = startNpm(folder, include)
  if (child.pid) onChild(child.pid)
  const { code, errors, isInterrupted } = await outcomeOf(child)
  if (isInterrupted) throw new Interrupted()
  if (code !== 0) throw new Error(describeFailure(label, code, errors))
  say(`${label}: installed in ${Math.round((Date.now() - began) / 1000)} s`)
}

function startNpm(folder, include) {
  const [command, ...first] = npmCommand()
  const args = ['ci', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
  args.push('--no-update-notifier', '--engine-strict=false', '--loglevel=error')
  args.push(...include.map((kind) => `--include=${kind}`))
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !inheritedSettings.test(name)),
  )
  // Its own process group, so that one signal ends npm and all that it started.
  return spawn(command, [...first, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  })
}

/** npm itself, the very copy that runs us if there is one; never pnpm's or yarn's. */
function npmCommand() {
  const outer = process.env.npm_execpath
  if (outer && /npm-cli\.[cm]?js$/.test(outer)) return [process.execPath, outer]
  const beside = path.resolve(path.dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js')
  return existsSync(beside) ? [process.execPath, beside] : ['npm']
}

/** npm needs seconds to obey a signal, so it is killed: half a node_modules has no stamp, and the next run begins again. */
function outcomeOf(child) {
  let errors = ''
  let isInterrupted = false
  const interrupt = () => {
    isInterrupted = true
    if (child.pid && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, interrupt)
  child.stderr.on('data', (data) => {
    errors += data
  })
  return new Promise((resolve) => {
    const settle = (code) => {
      for (const signal of signals) process.off(signal, interrupt)
      resolve({ code, errors, isInterrupted })
    }
    child.on('error', (error) => {
      errors += error.message
      settle(127)
    })
    child.on('close', (code, signal) => settle(signal ?? code))
  })
}

function describeFailure(label, code, errors) {
  process.stderr.write(errors)
  const known = advice.find(([pattern]) => pattern.test(errors))
  return `${label}: npm ci ended with ${code}; ${known ? known[1] : 'see npm’s message above'}`
}
