import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/**
 * When a process began, as an opaque text: with the id it names one process for ever, since ids are used again.
 * Undefined where there is no such process; a zombie counts as none.
 */
export function birthOf(pid) {
  try {
    return process.platform === 'linux' ? birthFromProc(pid) : birthFromPs(pid)
  } catch {
    return undefined
  }
}

/** Whether the process of this id and birth is still there. */
export function isRunning({ pid, born }) {
  return birthOf(pid) === born
}

function birthFromProc(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // The first thread of a dying process is a zombie while the others still hold its ports and files.
  if (fields[0] === 'Z' && readdirSync(`/proc/${pid}/task`).length <= 1) return undefined
  // The start is counted from the boot, and pids begin again with each boot.
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[19]}`
}

function birthFromPs(pid) {
  const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  if (line === '' || line.startsWith('Z')) return undefined
  return line.slice(line.indexOf(' ') + 1).trim()
}
