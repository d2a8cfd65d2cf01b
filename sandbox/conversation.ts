import type { Child } from './child.ts'
import { type EndedBy, explain, plainText, storableText } from './endings.ts'
import type { LogLevel } from './host-api.ts'
import { answerCall, createBudget, type HostHandlers } from './host-calls.ts'
import type { Limits } from './limits.ts'
import type { Called, Done, FromChild, Logged, ScriptError } from './wire/messages.ts'

/** A line that a script logged; `at_ms` counts from the start of the script. */
export type LogLine = { at_ms: number; level: LogLevel; text: string }

/** What a child is told to run. */
export type Assignment = {
  code: string
  filename: string
  config: Record<string, string>
  secrets: Record<string, string>
  handlers: HostHandlers
}

/** How the conversation with a child ended. */
export type Ending = {
  ended_by: EndedBy
  result: string | null
  error: ScriptError | null
  log: LogLine[]
  cpu_ms: number | null
}

/** What ends a conversation from outside. */
export type Bounds = { limits: Limits; time_ms: number; signal: AbortSignal }

const WATCH_MS = 25
const CPU_GRACE_MS = 500
const MEGABYTE = 1024 * 1024

type End = (endedBy: EndedBy, done?: Done) => void

/** Has a child run one script: `run` goes out, then `log` and `call` come in and at last `done`. The child does not survive it. */
export async function converse(child: Child, assignment: Assignment, bounds: Bounds): Promise<Ending> {
  const { promise, resolve } = Promise.withResolvers<{ endedBy: EndedBy; done: Done | undefined }>()
  const over = new AbortController()
  const log = createLog(bounds.limits)
  const end: End = (endedBy, done) => {
    over.abort()
    resolve({ endedBy, done })
  }
  const receive = createReceiver(child, assignment.handlers, {
    limits: bounds.limits,
    log,
    over: over.signal,
    end,
  })
  child.listen((message) => {
    if (!over.signal.aborted) receive(message)
  })
  const stopWatching = watch(child, bounds, end)
  const { code, filename, config, secrets } = assignment
  child.send({ type: 'run', code, filename, config, secrets })
  const { endedBy, done } = await promise
  stopWatching()
  child.kill()
  return { ...outcomeOf(endedBy, done, bounds.limits), log: log.lines(done?.dropped_lines ?? 0) }
}

type Receiving = { limits: Limits; log: Log; over: AbortSignal; end: End }

function createReceiver(child: Child, handlers: HostHandlers, { limits, log, over, end }: Receiving) {
  const isWithinBudget = createBudget(limits)
  const answer = async (call: Called) => {
    const reply = await answerCall(call, { handlers, limits, signal: over })
    if (!over.aborted) child.send(reply)
  }
  return (message: FromChild | null) => {
    if (message === null || message.type === 'ready') return end('killed')
    if (message.type === 'done') return end(message.ended_by, message)
    if (message.type === 'log') return log.add(message) ? undefined : end('output')
    if (!isWithinBudget(message)) return end('host_call')
    void answer(message)
  }
}

/** Ends the conversation by time, memory, processor time, the caller or the death of the child, whichever comes first. */
function watch(child: Child, { limits, time_ms, signal }: Bounds, end: End): () => void {
  const cpuAtStart = child.usage()?.cpu_ms ?? 0
  const look = () => {
    const usage = child.usage()
    if (usage === null) return
    if (usage.resident_bytes > limits.resident_mb * MEGABYTE) end('memory')
    if (usage.cpu_ms - cpuAtStart > limits.cpu_ms + CPU_GRACE_MS) end('cpu')
  }
  const cancel = () => end('cancelled')
  const deadline = setTimeout(() => end('wall'), time_ms)
  const watching = setInterval(look, WATCH_MS)
  signal.addEventListener('abort', cancel)
  if (signal.aborted) cancel()
  void child.exited.then(() => end(diedOfMemory(child) ? 'memory' : 'crashed'))
  return () => {
    clearTimeout(deadline)
    clearInterval(watching)
    signal.removeEventListener('abort', cancel)
  }
}

const diedOfMemory = (child: Child) =>
  /out of memory|out-of-memory|allocation failed|bad_alloc/i.test(child.complaint())

function outcomeOf(endedBy: EndedBy, done: Done | undefined, limits: Limits): Omit<Ending, 'log'> {
  const cpu_ms = done?.cpu_ms ?? null
  const result = endedBy === 'returned' ? (done?.result ?? null) : null
  if (result !== null && Buffer.byteLength(result) > limits.result_bytes)
    return { ended_by: 'output', result: null, error: explain('output'), cpu_ms }
  const error = explain(endedBy, done?.error)
  return { ended_by: endedBy, result: result === null ? null : storableText(result), error, cpu_ms }
}

type Log = { add(line: Logged): boolean; lines(dropped: number): LogLine[] }

function createLog(limits: Limits): Log {
  const startedAt = performance.now()
  const lines: LogLine[] = []
  const at = () => Math.round(performance.now() - startedAt)
  return {
    add({ level, text }) {
      if (lines.length >= limits.log_lines || text.length > limits.line_chars) return false
      lines.push({ at_ms: at(), level, text: plainText(text) })
      return true
    },
    lines: (dropped) =>
      dropped === 0
        ? lines
        : [...lines, { at_ms: at(), level: 'warn', text: `${dropped} more lines were not kept` }],
  }
}
