import { commandLineOf } from '../embedded/process.ts'

/** What may end a running product from outside. */
export type StopRequests = {
  /** Aborted by the first request. */
  signal: AbortSignal
  /** Resolves with the reason of the first request. */
  first: Promise<string>
  /** Resolves when somebody asks again, not waiting for the orderly stop. */
  again: Promise<void>
}

/** One Ctrl-C arrives twice: from the terminal and, passed on, from npm. Only a later one means "now". */
const repeat_ms = 1500

/**
 * Listens to signals, and to the end of the parent: `npm start | head -1` kills npm and would leave us behind, maybe
 * before this line is reached.
 */
export function watchForStop(options: { isStartedByNpm: boolean }): StopRequests {
  const first = Promise.withResolvers<string>()
  const again = Promise.withResolvers<void>()
  const controller = new AbortController()
  let asked_at: number | undefined
  const ask = (reason: string) => {
    if (asked_at === undefined) {
      asked_at = Date.now()
      controller.abort(new Error(reason))
      first.resolve(reason)
    } else if (Date.now() - asked_at > repeat_ms) again.resolve()
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => ask(name))
  watchParent(options, () => ask('the parent process has gone'))
  return { signal: controller.signal, first: first.promise, again: again.promise }
}

function watchParent({ isStartedByNpm }: { isStartedByNpm: boolean }, onGone: () => void): void {
  const parent = process.ppid
  const isOrphan = isStartedByNpm && !/npm|node|yarn|bun/.test(commandLineOf(parent))
  const timer = setInterval(() => {
    if (process.ppid === parent && !isOrphan) return
    clearInterval(timer)
    onGone()
  }, 1000)
  timer.unref()
}
