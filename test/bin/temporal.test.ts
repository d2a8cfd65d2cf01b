import path from 'node:path'

import { Connection } from '@temporalio/client'
import { msToTs } from '@temporalio/common/lib/time.js'
import { describe, expect, inject, onTestFinished, test } from 'vitest'

import { stopProcess } from '../../bin/embedded/process.ts'
import { startTemporal, stopTemporal } from '../../bin/embedded/temporal.ts'
import type { TemporalOptions } from '../../bin/embedded/temporal-command.ts'
import { prepareNamespace } from '../../bin/embedded/temporal-namespace.ts'
import { isRunning } from '../../bin/setup/process-identity.mjs'
import { makeServerFolder } from '../setup/run-folder.ts'

function newFolder(): string {
  const directory = path.join(makeServerFolder(inject('servers').run_folder), 'temporal')
  onTestFinished(() => stopTemporal(directory, 'at_once'))
  return directory
}

function start(directory: string, options: Partial<TemporalOptions> = {}) {
  const program = inject('servers').temporal_program
  return startTemporal({ directory, program, say: () => {}, signal: AbortSignal.timeout(60_000), ...options })
}

async function withConnection<Result>(address: string, use: (connection: Connection) => Promise<Result>) {
  const connection = await Connection.connect({ address })
  try {
    return await use(connection)
  } finally {
    await connection.close()
  }
}

describe('the Temporal dev server', () => {
  test('is adopted when it still runs, and replaced when it should have another port', async () => {
    const directory = newFolder()
    const first = await start(directory)
    const again = await start(directory)
    expect(again).toEqual({ ...first, adopted: true })
    const port = Number(first.address.split(':')[1]) + 1
    const moved = await start(directory, { port })
    expect(moved).toMatchObject({ adopted: false, address: `127.0.0.1:${port}` })
    expect(isRunning(first.identity)).toBe(false)
  })

  test('comes back on its address after a kill', async () => {
    const directory = newFolder()
    const first = await start(directory)
    await stopProcess(first.identity, [{ signal: 'SIGKILL', patience_ms: 5000 }])
    expect(await start(directory)).toMatchObject({ adopted: false, address: first.address })
  })

  test('refuses a port for its Web UI that somebody else has', async () => {
    const ui_port = Number(new URL(inject('servers').database_url).port)
    await expect(start(newFolder(), { ui_port })).rejects.toThrow(
      `port ${ui_port} is busy: stop what uses it, or set TEMPORAL_UI_PORT`,
    )
  })

  test('that cannot start is an error with the end of its log', async () => {
    const program = '/bin/false'
    await expect(start(newFolder(), { program })).rejects.toThrow(/Temporal ended at once.*temporal\.log/)
  })
})

describe('the namespace', () => {
  test('keeps closed workflows for 90 days, and is left alone when it keeps them longer', async () => {
    const namespace = `kept-${crypto.randomUUID()}`
    await withConnection(inject('servers').temporal_address, async (services) => {
      const days = async () => {
        const { config } = await services.workflowService.describeNamespace({ namespace })
        return Number(config?.workflowExecutionRetentionTtl?.seconds) / 86_400
      }
      await prepareNamespace(services, namespace, {})
      expect(await days()).toBe(90)
      const config = { workflowExecutionRetentionTtl: msToTs('100 days') }
      await services.workflowService.updateNamespace({ namespace, config })
      await prepareNamespace(services, namespace, {})
      expect(await days()).toBe(100)
    })
  })

  test('may be asked for its search attributes at once, also for those added later', async () => {
    const namespace = `searched-${crypto.randomUUID()}`
    await withConnection(inject('servers').temporal_address, async (services) => {
      await prepareNamespace(services, namespace, { AccessStatus: 'Keyword' })
      await prepareNamespace(services, namespace, { AccessStatus: 'Keyword', AccessCount: 'Int' })
      const query = "AccessStatus = 'pending' and AccessCount > 1"
      const { count } = await services.workflowService.countWorkflowExecutions({ namespace, query })
      expect(Number(count)).toBe(0)
    })
  })
})
