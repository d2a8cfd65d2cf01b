import { execFileSync, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, renameSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import { z } from 'zod'

import { birthOf, isRunning } from '../setup/process-identity.mjs'

/** One process for ever: ids are used again, an id with its time of birth is not. */
export const ProcessIdentity = z.object({ pid: z.int().positive(), born: z.string() })
export type ProcessIdentity = z.infer<typeof ProcessIdentity>

export type DaemonOptions = {
  program: string
  args: readonly string[]
  log_file: string
  /** The user and group to run as; ours when absent. */
  account?: { uid: number; gid: number } | undefined
}

/** The process that has this id now; undefined when there is none. */
export function identify(pid: number): ProcessIdentity | undefined {
  const born = birthOf(pid)
  return born === undefined ? undefined : { pid, born }
}

/** The command line of a process, empty when there is no such process. */
export function commandLineOf(pid: number): string {
  try {
    if (process.platform === 'linux')
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
  } catch {
    return ''
  }
}

/**
 * Starts a server in a session of its own, so that neither Ctrl-C nor a closed terminal reaches it. It writes to a
 * fresh log file (the last one is kept as `.1`), so that our death cannot block it, and gets none of our secrets.
 */
export async function startDaemon({
  program,
  args,
  log_file,
  account,
}: DaemonOptions): Promise<ProcessIdentity> {
  if (existsSync(log_file)) renameSync(log_file, `${log_file}.1`)
  const log = openSync(log_file, 'a', 0o600)
  try {
    const env = { HOME: '/', LC_ALL: 'C', TZ: 'UTC' }
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
      env,
      ...account,
    })
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('spawn', () => resolve(child.pid ?? 0))
    })
    child.unref()
    // One that has ended already gets an identity that nothing has.
    return identify(pid) ?? { pid, born: 'ended' }
  } finally {
    closeSync(log)
  }
}

/** How to end a process: each signal in turn, with the time to wait after it. */
export type Escalation = readonly { signal: NodeJS.Signals; patience_ms: number }[]

/** Ends a process and waits until it is gone. */
export async function stopProcess(identity: ProcessIdentity, escalation: Escalation): Promise<void> {
  for (const { signal, patience_ms } of escalation) {
    if (!sendSignal(identity, signal)) return
    await waitUntil(() => !isRunning(identity), { patience_ms })
  }
  if (isRunning(identity)) throw new Error(`process ${identity.pid} does not end`)
}

/** Sends a signal, to nobody else than this process: false when it has gone. */
export function sendSignal(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isRunning(identity)) return false
  try {
    return process.kill(identity.pid, signal)
  } catch {
    return false
  }
}

/** Waits for a condition until it is true, or the time is over: then false. An abort throws. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  options: { patience_ms: number; every_ms?: number; signal?: AbortSignal },
): Promise<boolean> {
  const deadline = Date.now() + options.patience_ms
  while (!(await condition())) {
    if (Date.now() > deadline) return false
    await sleep(options.every_ms ?? 25, undefined, options.signal && { signal: options.signal })
  }
  return true
}

/** The last lines of a log, to go with an error; empty when there is none. */
export function lastLines(log_file: string, count = 12): string {
  if (!existsSync(log_file)) return ''
  return readFileSync(log_file, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
}
