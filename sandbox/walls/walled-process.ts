import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'

import { type Cell, type Level, steppingBack } from './levels.ts'
import { isRunning, lastDescendant, readUsage, type Usage } from './watch.ts'

/** What a process is started with; `command` begins with the program. */
export type Launch = { level: Level; cell: Cell; command: readonly string[] }

/** A process behind its walls: its pipes, what it uses, and a kill that takes everything it started along. */
export type WalledProcess = {
  stdin: Writable
  stdout: Readable
  exited: Promise<void>
  isAlive(): boolean
  usage(): Usage | null
  kill(): void
  /** The end of what it wrote to stderr: for operators, never for the author of a script. */
  complaint(): string
}

const COMPLAINT_CHARS = 4_096

/** Starts a process of its own group with an empty environment, no folder and nothing but three pipes. */
export function launch({ level, cell, command }: Launch): WalledProcess {
  const [program = '', ...rest] = [...steppingBack(cell), ...level.prefix(cell), ...command]
  const child = spawn(program, rest, { stdio: 'pipe', env: {}, cwd: '/', detached: true })
  stepBackAsGroup(child.pid, cell)
  const exited = untilExit(child)
  let hasExited = false
  void exited.then(() => (hasExited = true))
  const innermost = findInnermost(child.pid)
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    exited,
    isAlive: () => !hasExited && isRunning(innermost()),
    usage: () => (hasExited ? null : readUsage(innermost())),
    kill: () => {
      if (!hasExited) killAll(innermost(), child.pid)
    },
    complaint: readTail(child.stderr),
  }
}

// sched(7), autogroup: where the kernel shares the processor among sessions first, niceness counts inside one only.
function stepBackAsGroup(pid: number | undefined, { niceness = 0 }: Cell): void {
  if (pid === undefined || niceness === 0 || process.platform !== 'linux') return
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness))
  } catch {
    // A kernel without autogroups, or a product that may not.
  }
}

/** The process that `unshare` started, as soon as there is one, else the process itself. */
function findInnermost(pid = 0): () => number {
  let found = pid
  return () => {
    if (found === pid && pid > 0) found = lastDescendant(pid)
    return found
  }
}

function killAll(innermost: number, group = 0): void {
  if (group === 0) return
  killQuietly(-group)
  killQuietly(innermost)
}

function untilExit(child: ChildProcessWithoutNullStreams): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  child.once('error', () => resolve())
  child.once('close', () => resolve())
  // Without a free file descriptor there are no pipes, and the next line throws.
  for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.on('error', () => {})
  return promise
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

function readTail(stream: Readable): () => string {
  let tail = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    tail = `${tail}${text}`.slice(-COMPLAINT_CHARS)
  })
  return () => tail
}
