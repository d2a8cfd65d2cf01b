import path from 'node:path'

import type { Client } from '@temporalio/client'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { connectToTestTemporal, fastForward } from './temporal.ts'

const day = 86_400_000
const taskQueue = 'sleepers'
let client: Client
let stopWorker: () => Promise<void>

beforeAll(async () => {
  Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('WARN') })
  client = await connectToTestTemporal()
  const { temporal_address: address, temporal_namespace: namespace } = inject('servers')
  const connection = await NativeConnection.connect({ address })
  const workflowsPath = path.join(import.meta.dirname, 'fixtures', 'sleeper.ts')
  const bundlerOptions = { logger: new DefaultLogger('WARN') }
  const worker = await Worker.create({ connection, namespace, taskQueue, workflowsPath, ...bundlerOptions })
  const running = worker.run()
  stopWorker = async () => {
    worker.shutdown()
    await running
    await connection.close()
  }
})

afterAll(async () => {
  await stopWorker()
  await client.connection.close()
})

describe('the clock of a workflow', () => {
  test('moves on by 90 days at once', async () => {
    const workflowId = crypto.randomUUID()
    const handle = await client.workflow.start('sleeper', { taskQueue, workflowId, args: [90 * day] })
    expect(await fastForward(client, workflowId, 89 * day)).toBe(true)
    expect((await handle.describe()).status.name).toBe('RUNNING')
    expect(await fastForward(client, workflowId, 2 * day)).toBe(false)
    expect(await handle.result()).toBeGreaterThanOrEqual(90 * day)
  })

  test('is that of this workflow alone', async () => {
    const ids = [crypto.randomUUID(), crypto.randomUUID()] as const
    for (const workflowId of ids) {
      await client.workflow.start('sleeper', { taskQueue, workflowId, args: [2 * day] })
    }
    await fastForward(client, ids[0], 3 * day)
    expect((await client.workflow.getHandle(ids[1]).describe()).status.name).toBe('RUNNING')
    await client.workflow.getHandle(ids[1]).terminate()
  })
})
