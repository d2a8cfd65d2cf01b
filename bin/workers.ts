import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'

import type { Activities } from '../activities/activities.ts'
import { queues } from '../workflows/contract.ts'

export type WorkersOptions = {
  temporal_address: string
  namespace: string
  /** The base name of the task queues. */
  queue: string
  /** The path of the workflow bundle. */
  workflow_bundle: string
  activities: Activities
  /** How long running activities may go on after a stop was asked for. */
  grace_ms?: number
}

export type Workers = { isRunning: () => boolean; failed: Promise<Error>; close(): Promise<void> }

let isInstalled = false

/** The SDK would end the worker by itself on SIGINT and SIGTERM, before the server has answered its last calls. */
function installRuntime(): void {
  if (isInstalled) return
  isInstalled = true
  Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
  })
}

/** One worker for workflows and database work, one for block scripts, one for the scripts beside requests. */
export async function startWorkers(options: WorkersOptions): Promise<Workers> {
  installRuntime()
  const { temporal_address: address, namespace, workflow_bundle, activities, grace_ms = 20_000 } = options
  const connection = await NativeConnection.connect({ address })
  const names = queues(options.queue)
  const common = {
    connection,
    namespace,
    activities,
    shutdownGraceTime: grace_ms,
    shutdownForceTime: grace_ms + 10_000,
    maxHeartbeatThrottleInterval: 500,
    defaultHeartbeatThrottleInterval: 500,
  }
  const workers = await Promise.all([
    Worker.create({
      ...common,
      taskQueue: names.core,
      workflowBundle: { codePath: workflow_bundle },
      maxCachedWorkflows: 2_000,
      stickyQueueScheduleToStartTimeout: '5s',
    }),
    Worker.create({ ...common, taskQueue: names.block, maxConcurrentActivityTaskExecutions: 20 }),
    Worker.create({ ...common, taskQueue: names.runs, maxConcurrentActivityTaskExecutions: 10 }),
  ])
  const running = workers.map((worker) => worker.run())
  return {
    isRunning: () => workers.every((worker) => worker.getState() === 'RUNNING'),
    failed: Promise.race(running.map((run) => run.then(() => new Error('a worker has stopped'), asError))),
    async close() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown()
      await Promise.allSettled(running)
      await connection.close()
    },
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))
