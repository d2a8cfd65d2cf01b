import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** The core of every server that is measured, and the one of everything else: load and database. */
export const cores = { server: '0', load: '1' }

type Start = { core: string; command: string[]; env?: Record<string, string> }

const running = new Set<ChildProcess>()
process.on('exit', () => running.forEach((child) => signal(child, 'SIGKILL')))
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(1))

/** To the process and all that it has started. */
function signal({ pid, exitCode, signalCode }: ChildProcess, name: NodeJS.Signals): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, name)
}

/** A process on one core alone, which does not outlive this one; what it says on stderr is shown if SAY is set. */
export function startPinned({ core, command, env = {} }: Start): ChildProcess {
  const child = spawn('taskset', ['-c', core, ...command], {
    stdio: ['ignore', 'pipe', process.env['SAY'] ? 'inherit' : 'ignore'],
    detached: true,
    env: { ...process.env, ...env },
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** A file of this folder as a process, told one JSON value. */
export const startScript = (core: string, name: string, told: unknown): ChildProcess => {
  const file = fileURLToPath(new URL(name, import.meta.url))
  return startPinned({ core, command: [process.execPath, file, JSON.stringify(told)] })
}

/** The first line that it prints, all of which is read even where it has ended. @throws where there is none */
export async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('nothing can be heard from this process')
  const lines = createInterface({ input: child.stdout })
  const line = await Promise.race([once(lines, 'line'), once(child, 'close').then(() => [''])])
  if (line[0] === '') throw new Error(`${child.spawnargs.join(' ')} ended at once`)
  return String(line[0])
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  signal(child, 'SIGCONT')
  signal(child, 'SIGTERM')
  await Promise.race([once(child, 'exit'), sleep(10_000).then(() => signal(child, 'SIGKILL'))])
}

/** What is done to a server between its measurements, and after them. */
export const switchesOf = (child: ChildProcess) => ({
  pause: () => signal(child, 'SIGSTOP'),
  resume: () => signal(child, 'SIGCONT'),
  close: () => stop(child),
})

/** Runs a program to its end. @throws where it fails */
export async function run(start: Start): Promise<void> {
  const child = startPinned(start)
  child.stdout?.resume()
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${start.command.slice(0, 3).join(' ')} ended with ${code}`)
}

/** Asks until it is answered with 2xx. @throws after `seconds` */
export async function waitFor(url: string, seconds: number): Promise<void> {
  for (const end = Date.now() + seconds * 1_000; Date.now() < end; await sleep(250)) {
    const isThere = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isThere) return
  }
  throw new Error(`nothing answered at ${url} within ${seconds} s`)
}
