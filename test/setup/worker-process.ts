import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { fork } from 'node:child_process'

import { createActivities } from '../../activities/activities.ts'
import type { Activities } from '../../activities/activities.ts'
import { startWorkers } from '../../bin/workers.ts'
import { connect } from '../../db/client.ts'
import { createSealer } from '../../db/sealing.ts'
import { createSandbox } from '../../sandbox/run-script.ts'

export type WorkerSettings = {
  database_url: string
  temporal_address: string
  namespace: string
  queue: string
  workflow_bundle: string
  /** The process kills itself (SIGKILL) where this activity has done its work and its completion has not been told. */
  dies_after?: keyof Activities
  /** How long running activities may go on after a stop was asked for. */
  grace_ms?: number
}

/** `stop` ends it as a deploy does, `kill` as a crash. */
export type WorkerProcess = { stop: () => Promise<void>; kill: () => Promise<void>; died: Promise<void> }

/** A worker in a process of its own, the real one, which can be killed like one. */
export async function startWorkerProcess(settings: WorkerSettings): Promise<WorkerProcess> {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(settings)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit')
  const died = exited.then(() => undefined)
  const first = await Promise.race([once(child, 'message'), exited])
  if (first[0] !== 'ready') throw new Error('the worker process did not start')
  const kill = async () => {
    child.kill('SIGKILL')
    await died
  }
  const stop = async () => {
    child.send('stop')
    await died
  }
  return { stop, kill, died }
}

function dyingAfter(activities: Activities, name: keyof Activities | undefined): Activities {
  if (name === undefined) return activities
  const work = activities[name] as (input: unknown) => Promise<unknown>
  const deadly = async (input: unknown) => {
    await work(input)
    process.kill(process.pid, 'SIGKILL')
    return new Promise(() => {})
  }
  return { ...activities, [name]: deadly }
}

if (import.meta.main) {
  const { database_url, dies_after, ...settings } = JSON.parse(process.argv[2] ?? '{}') as WorkerSettings
  const activities = createActivities({
    sql: connect(database_url),
    sandbox: await createSandbox(),
    sealer: createSealer([randomBytes(32)]),
    allow_private_egress: false,
  })
  const workers = await startWorkers({ ...settings, activities: dyingAfter(activities, dies_after) })
  process.on('message', () => void workers.close().then(() => process.exit()))
  process.send?.('ready')
}
