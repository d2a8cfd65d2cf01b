import { readdirSync, readFileSync } from 'node:fs'

import { readUsage } from '../sandbox/walls/watch.ts'

/** The script processes of one sandbox, found by a limit that no other sandbox has. */
export type Children = { limits: { sent_chars: number }; settled(): Promise<void>; memory(): number[] }

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const STEP_MS = 50
const STILL_STEPS = 3
const MOST_STEPS = 200

/** `settled` waits until all that are there only wait; `memory` is what each takes, in MB, shared pages in proportion. */
export function watchChildren(mark: number): Children {
  // The walls' own programs have the same command line behind them, and little memory.
  const find = () =>
    readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0 && pid !== process.pid)
      .filter((pid) => readQuietly(`/proc/${pid}/cmdline`).includes(`"sent_chars":${mark}`))
  const state = () =>
    find()
      .map((pid) => `${pid}:${readUsage(pid)?.cpu_ms}`)
      .join()
  return {
    limits: { sent_chars: mark },
    async settled() {
      let still = 0
      let last = ''
      for (let step = 0; still < STILL_STEPS && step < MOST_STEPS; step += 1) {
        await new Promise((resolve) => setTimeout(resolve, STEP_MS))
        const now = state()
        still = now === last ? still + 1 : 0
        last = now
      }
    },
    memory: () =>
      find()
        .map(
          (pid) => Number(/^Pss:\s+(\d+)/m.exec(readQuietly(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1024,
        )
        .filter((megabytes) => megabytes > 5),
  }
}
