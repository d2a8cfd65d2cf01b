import { randomUUID } from 'node:crypto'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { Client, Connection } from '@temporalio/client'
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker'

import { createTokenSigner } from '../api/token-signer.ts'
import { loadConfig, projectRoot } from '../bin/config.ts'
import { startProduct } from '../bin/product.ts'
import { readSigningKey } from '../bin/signing-key.ts'
import { provideDatabase, provideTemporal, stopServers } from '../bin/startup/servers.ts'
import { workflowBundle } from '../bin/workflow-bundle.ts'
import { connect, getRow } from '../db/client.ts'
import { searchAttributes } from '../workflows/contract.ts'

/**
 * How long a submission and an approval take over HTTP, one after another, beside the floor: a bare Temporal update
 * with one activity that does nothing, on the same server in the same run. The three are interleaved in rounds.
 */
const rounds = Number(process.argv[2] ?? 7)
const perRound = Number(process.argv[3] ?? 20)

/** The activity of the floor. */
async function touch(): Promise<void> {}

type Measured = Record<'bare' | 'submit' | 'approve', number[]>

const quantile = (values: readonly number[], at: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))] ?? 0
}

const median = (values: readonly number[]) => quantile(values, 0.5)

async function time(into: number[], work: () => Promise<unknown>): Promise<void> {
  const began = performance.now()
  await work()
  into.push(performance.now() - began)
}

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

async function main(): Promise<void> {
  const data_dir = path.join(projectRoot, '.data', 'bench')
  const config = { ...loadConfig({ DATA_DIR: data_dir }), port: 0, writes_per_minute: 1_000_000 }
  const say = (line: string) => void process.stderr.write(`  ${line}\n`)
  const context = { say, signal: AbortSignal.timeout(300_000) }
  try {
    const database = await provideDatabase(config, context)
    const temporal = await provideTemporal(config, searchAttributes, context)
    const product = await startProduct({
      config,
      database_url: database.url,
      embedded: true,
      temporal_address: temporal.address,
      temporal_ui_url: temporal.ui_url,
      workflow_bundle: await workflowBundle(data_dir),
      say,
    })
    const connection = await Connection.connect({ address: temporal.address })
    const client = new Client({ connection, namespace: config.temporal_namespace })
    const floor = await startFloor(temporal.address, config.temporal_namespace, client)
    report(await measure(product.url, database.url, config, floor.step))
    await floor.close()
    await connection.close()
    await product.close()
  } finally {
    await stopServers(config, 'orderly')
  }
}

async function measure(
  url: string,
  database_url: string,
  config: ReturnType<typeof loadConfig>,
  step: () => Promise<unknown>,
): Promise<Measured[]> {
  const sql = connect(database_url)
  const signer = await createTokenSigner(readSigningKey(config), config.public_url)
  const callerOf = async (email: string) => {
    const { id } = await getRow<{ id: string }>(sql`select id from identities where email = ${email}`)
    const iat = Math.floor(Date.now() / 1_000)
    const { token } = await signer.sign({ sub: id, aud: config.public_url }, { iat, exp: iat + 3_600 })
    return async (path: string, body: object, expected: number): Promise<{ id: string }> => {
      const response = await fetch(`${url}/api/v1${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      const answer = (await response.json()) as { id: string }
      if (response.status !== expected)
        throw new Error(`${path} answered ${response.status}: ${JSON.stringify(answer)}`)
      return answer
    }
  }
  const [alice, bob] = [await callerOf('alice@example.com'), await callerOf('bob@example.com')]
  const { id: template_id } = await getRow<{ id: string }>(sql`select id from templates`)
  const submission = { template_id, requested_duration_mins: 60, justification: 'A measurement.' }

  async function measureOne(into: Measured): Promise<void> {
    await time(into.bare, step)
    let request = { id: '' }
    await time(into.submit, async () => (request = await alice('/access-requests', submission, 201)))
    await time(into.approve, () => bob(`/access-requests/${request.id}/approve`, {}, 200))
    await bob(`/access-requests/${request.id}/revoke`, {}, 200)
    await settled(request.id)
  }

  /** The trigger's three runs go on beside the request: they are over before the next is measured. */
  async function settled(request_id: string): Promise<void> {
    for (let runs = 0; runs < 3; ) {
      const row = await getRow<{ runs: number }>(sql`
        select count(*)::int as runs from script_runs where request_id = ${request_id} and status <> 'running'`)
      runs = row.runs
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  for (let i = 0; i < 5; i++) await measureOne({ bare: [], submit: [], approve: [] })
  const measured: Measured[] = []
  for (let round = 0; round < rounds; round++) {
    const into: Measured = { bare: [], submit: [], approve: [] }
    for (let i = 0; i < perRound; i++) await measureOne(into)
    measured.push(into)
  }
  await sql.end()
  return measured
}

function report(measured: Measured[]): void {
  const p50 = (name: keyof Measured) => measured.map((round) => median(round[name]))
  const range = (values: number[]) => `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`
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

await main()
process.exit(0)
