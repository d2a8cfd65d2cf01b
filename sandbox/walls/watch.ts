import { readFileSync } from 'node:fs'

/** What a process uses now, as the kernel counts it. */
export type Usage = { resident_bytes: number; cpu_ms: number }

const TICK_MS = 10

/** The usage of a process, or null where the kernel does not tell (another system, or the process is gone). */
export function readUsage(pid: number): Usage | null {
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(`/proc/${pid}/status`) ?? '')?.[1]
  const times = readProc(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ').slice(11, 13)
  if (resident === undefined || times === undefined) return null
  const ticks = times.reduce((sum, each) => sum + Number(each), 0)
  return { resident_bytes: Number(resident) * 1024, cpu_ms: ticks * TICK_MS }
}

/** Whether a process runs now; of one that has ended Node tells a moment later. */
export function isRunning(pid: number): boolean {
  const status = readProc(`/proc/${pid}/status`)
  // A process that is ending gives up its memory first.
  if (status !== null) return /^VmRSS:/m.test(status)
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** The process at the end of the chain of only children: under `unshare --fork` that is the one that runs the script. */
export function lastDescendant(pid: number): number {
  const children = readProc(`/proc/${pid}/task/${pid}/children`)?.trim() ?? ''
  const child = Number(children.split(' ')[0])
  return child > 0 ? lastDescendant(child) : pid
}

function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
