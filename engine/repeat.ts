/** Work that is done again and again, after each `wait`. */
export type Loop = { name: string; wait: () => Promise<unknown>; work: () => Promise<unknown> }

type Log = (message: string, error?: unknown) => void

/** Until `signal` aborts. Work that fails is told once, and once more when it is well again. */
export async function repeat({ name, wait, work }: Loop, signal: AbortSignal, log: Log): Promise<void> {
  let wasWell = true
  while (!signal.aborted) {
    try {
      await work()
      if (!wasWell) log(`${name} is well again`)
      wasWell = true
    } catch (error) {
      if (wasWell) log(`${name} failed, trying on`, error)
      wasWell = false
    }
    await wait()
  }
}
