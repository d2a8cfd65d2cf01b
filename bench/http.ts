import { randomUUID } from 'node:crypto'
import os from 'node:os'
import { fileURLToPath } from 'node:url'

import { Client, Connection } from '@temporalio/client'
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker'

import { getRow } from '../db/client.ts'
import { median, quantile, range, time } from './figures.ts'
import { type BenchProduct, withProduct } from './product.ts'

/**
 * How long a submission and an approval take over HTTP, one after another, beside the floor: a bare Temporal update
 * with one activity that does nothing, on the same server in the same run. The three are interleaved in rounds.
 */
const rounds = Number(process.argv[2] ?? 7)
const perRound = Number(process.argv[3] ?? 20)

/** The activity of the floor. */
async function touch(): Promise<void> {}

type Measured = Record<'bare' | 'submit' | 'approve', number[]>

async function startFloor(address: string, namespace: string, client: Client) {
  const taskQueue = 'bench-bare'
  const workflowsPath = fileURLToPath(new URL('./bare.ts', import.meta.url))
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') })
  const connection = await NativeConnection.connect({ address })
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowBundle,
    activities: { touch },
  })
  const running = worker.run()
  const handle = await client.workflow.start('bare', { taskQueue, workflowId: `bare-${randomUUID()}` })
  return {
    step: () => handle.executeUpdate('step'),
    async close() {
      await handle.executeUpdate('finish')
      worker.shutdown()
      await running
      await connection.close()
    },
  }
}

async function measure({ sql, temporal_address, namespace, callerOf }: BenchProduct): Promise<void> {
  const connection = await Connection.connect({ address: temporal_address })
  const floor = await startFloor(temporal_address, namespace, new Client({ connection, namespace }))
  const [alice, bob] = [await callerOf('alice@example.com'), await callerOf('bob@example.com')]
  const { id: template_id } = await getRow<{ id: string }>(sql`select id from templates`)
  const submission = { template_id, requested_duration_mins: 60, justification: 'A measurement.' }

  async function measureOne(into: Measured): Promise<void> {
    await time(into.bare, floor.step)
    let request = { id: '' }
    await time(into.submit, async () => (request = await alice('POST', '/access-requests', 201, submission)))
    await settled(request.id, 1)
    await time(into.approve, () => bob('POST', `/access-requests/${request.id}/approve`, 200, {}))
    await bob('POST', `/access-requests/${request.id}/revoke`, 200, {})
    await settled(request.id, 3)
  }

  /** The trigger's runs go on beside the request: each is over, and its successor warm, before the next call is measured. */
  async function settled(request_id: string, expected: number): Promise<void> {
    for (let runs = 0; runs < expected; ) {
      const row = await getRow<{ runs: number }>(sql`
        select count(*)::int as runs from script_runs where request_id = ${request_id} and status <> 'running'`)
      runs = row.runs
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await new Promise((resolve) => setTimeout(resolve, 300))
  }

  for (let i = 0; i < 5; i++) await measureOne({ bare: [], submit: [], approve: [] })
  const measured: Measured[] = []
  for (let round = 0; round < rounds; round++) {
    const into: Measured = { bare: [], submit: [], approve: [] }
    for (let i = 0; i < perRound; i++) await measureOne(into)
    measured.push(into)
  }
  report(measured)
  await floor.close()
  await connection.close()
}

function report(measured: Measured[]): void {
  const p50 = (name: keyof Measured) => measured.map((round) => median(round[name]))
  const floor = p50('bare')
  process.stdout.write(
    `${rounds} rounds of ${perRound}, interleaved; ${os.availableParallelism()} cores, Node ${process.versions.node}; load ${os.loadavg()[0]?.toFixed(2)}\n`,
  )
  for (const name of ['bare', 'submit', 'approve'] as const) {
    const values = p50(name)
    const all = measured.flatMap((round) => round[name])
    const ratios = values.map((value, round) => value / (floor[round] ?? 1))
    process.stdout.write(
      `${name.padEnd(8)} p50 ${median(values).toFixed(1).padStart(6)} ms (rounds ${range(values)})  p95 ${quantile(all, 0.95).toFixed(1).padStart(6)} ms  ratio to bare ${median(ratios).toFixed(2)} (${range(ratios)})\n`,
    )
  }
}

await withProduct(measure)
process.exit(0)
