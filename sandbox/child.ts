import { fileURLToPath } from 'node:url'

import { exportedNames, logLevels, operationsByModule } from './host-api.ts'
import { type Limits, MAX_FRAME_BYTES } from './limits.ts'
import { type Level, nextUserId } from './walls/levels.ts'
import { type Launch, launch } from './walls/walled-process.ts'
import type { Usage } from './walls/watch.ts'
import { createFrameReader, encodeFrame } from './wire/frames.ts'
import { type FromChild, readMessage, type ToChild } from './wire/messages.ts'

/** What a child is made of; `program` is the script runner, or a test's impostor of it. */
export type ChildSettings = {
  node: string
  addon: string
  level: Level
  limits: Limits
  program: string
  niceness?: number
}

/** Gets the messages of a child; null stands for one that no child of ours would send. */
export type Listener = (message: FromChild | null) => void

/** A process that waits to run one script. */
export type Child = {
  exited: Promise<void>
  isAlive(): boolean
  send(message: ToChild): void
  listen(listener: Listener): void
  usage(): Usage | null
  kill(): void
  complaint(): string
}

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const inside = {
  lockdown: path('./inside/lockdown.js'),
  host_modules: path('./inside/host-modules.js'),
}
const parts = ['./inside/isolate.cjs', './inside/pipe.cjs', './inside/thrown.cjs'].map(path)

/** The program that runs scripts. */
export const runnerProgram = path('./inside/runner.cjs')

const START_TIMEOUT_MS = 10_000
const STARTUP_CPU_SECONDS = 5
const MEGABYTE = 1024 * 1024

/** `--no-node-snapshot` is what isolated-vm asks for; the others each take something away from a broken-out script. */
const nodeFlags = [
  '--no-node-snapshot',
  '--jitless',
  '--enable-sharedarraybuffer-per-context',
  '--disable-sigusr1',
  '--disable-proto=delete',
  '--max-old-space-size=64',
  '--v8-pool-size=1',
  '--no-warnings',
  '--permission',
  '--allow-addons',
  ...[...Object.values(inside), ...parts].map((each) => `--allow-fs-read=${each}`),
]

/** Starts a child and waits until it can run a script; rejects with what it said if it cannot. */
export async function startChild(settings: ChildSettings): Promise<Child> {
  const process = launch(launchOf(settings))
  let listener: Listener = () => process.kill()
  const read = createFrameReader(MAX_FRAME_BYTES)
  process.stdout.on('data', (chunk: Buffer) => {
    for (const message of messagesIn(read, chunk)) listener(message)
  })
  const child = {
    ...process,
    send: (message: ToChild) => void process.stdin.write(encodeFrame(message)),
    listen: (next: Listener) => {
      listener = next
    },
  }
  await untilReady(child)
  child.listen(() => child.kill())
  return child
}

function launchOf({ node, addon, level, limits, program, niceness = 0 }: ChildSettings): Launch {
  const names = { api: operationsByModule(), modules: exportedNames(), levels: logLevels }
  const settings = JSON.stringify({ ...inside, addon, limits, ...names })
  return {
    level,
    command: [node, ...nodeFlags, `--allow-fs-read=${program}`, program, settings],
    cell: {
      user_id: nextUserId(),
      data_bytes: 2 * limits.resident_mb * MEGABYTE,
      cpu_seconds: STARTUP_CPU_SECONDS + Math.ceil(limits.cpu_ms / 1000),
      niceness,
    },
  }
}

function* messagesIn(read: (chunk: Buffer) => unknown[], chunk: Buffer): Generator<FromChild | null> {
  try {
    for (const message of read(chunk)) yield readMessage(message)
  } catch {
    yield null
  }
}

async function untilReady(child: Child): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const refuse = (reason: string) => {
    child.kill()
    reject(new Error(`a script process ${reason}: ${child.complaint().trim()}`))
  }
  const timer = setTimeout(() => refuse('did not start in time'), START_TIMEOUT_MS)
  child.listen((message) => (message?.type === 'ready' ? resolve() : refuse('did not begin as it should')))
  void child.exited.then(() => refuse('ended while it started'))
  await promise.finally(() => clearTimeout(timer))
}
