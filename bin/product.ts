import { Client, Connection } from '@temporalio/client'

import { createActivities } from '../activities/activities.ts'
import { runByHand } from '../activities/manual-run.ts'
import { replayRun } from '../activities/replay-run.ts'
import type { Runner } from '../activities/run-task.ts'
import { testScript } from '../activities/test-run.ts'
import { createApp } from '../api/app.ts'
import { createLiveHub } from '../api/live/hub.ts'
import type { Scripts, SignIn } from '../api/deps.ts'
import { connect } from '../db/client.ts'
import type { Sql } from '../db/client.ts'
import { migrate } from '../db/migrate.ts'
import { resealSecrets } from '../db/scripts/secrets.ts'
import { createSealer } from '../db/sealing.ts'
import { resealProviders } from '../db/sign-in/providers.ts'
import type { Sealer } from '../db/sealing.ts'
import { DomainError } from '../domain/errors.ts'
import { sendNamed } from '../egress/send-named.ts'
import { createEngine } from '../engine/engine.ts'
import type { Engine } from '../engine/engine.ts'
import { startLoops } from '../engine/loops.ts'
import { ensureExpirySchedule } from '../engine/schedule.ts'
import { compileScript, ScriptInvalid, ScriptUnchecked } from '../sandbox/compile.ts'
import { createSandbox } from '../sandbox/run-script.ts'
import type { SandboxOptions } from '../sandbox/run-script.ts'
import { expirySchedule, workflowTypes } from '../workflows/contract.ts'
import type { Config } from './config.ts'
import { loadDemoOrganisation } from './demo-organisation.ts'
import { offerFirstAdmin } from './first-admin.ts'
import { checkHealth, describeSandbox } from './health.ts'
import { listen } from './http.ts'
import { readSecretsKeys } from './secrets-key.ts'
import { openSigningKeys } from './signing-key.ts'
import { startWorkers } from './workers.ts'

export type ProductOptions = {
  config: Config
  database_url: string
  /** The database is the product's own: the demo organisation is loaded while it is empty. */
  embedded: boolean
  temporal_address: string
  temporal_ui_url: string | null
  /** The path of the workflow bundle. */
  workflow_bundle: string
  /** The folder of the built pages; absent: the API alone. */
  pages_folder?: string
  say: (line: string) => void
  /** Tests keep their workflows apart by it. */
  queue?: string
  /** Tests and measurements change the sandbox by it. */
  sandbox?: SandboxOptions
}

/** `failed` resolves when a part ends by itself. */
export type Product = { url: string; failed: Promise<Error>; close(): Promise<void> }

async function compile(source: string): Promise<{ code: string }> {
  try {
    return await compileScript(source)
  } catch (error) {
    if (error instanceof ScriptUnchecked)
      throw new DomainError('unavailable', 'Too much is going on to check the script; try again shortly.')
    if (!(error instanceof ScriptInvalid)) throw error
    const { message, line, column } = error
    throw new DomainError(
      'script_invalid',
      `The script does not compile: ${message} (line ${line}, column ${column}).`,
      {
        line,
        column,
        errors: [{ pointer: '/script', detail: message }],
      },
    )
  }
}

const createScripts = ({ sql, ...runner }: Parts): Scripts => ({
  compile,
  run: (run) => runByHand(sql, runner, run),
  test: (run) => testScript(sql, runner, run),
  replay: (replay) => replayRun(sql, runner, replay),
})

const logTo =
  (say: ProductOptions['say']) =>
  (message: string, error?: unknown): void => {
    const reason = error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error)
    say(error === undefined ? message : `${message}: ${reason}`)
  }

type Closing = ReturnType<typeof createClosing>

/** Undoes what was done, last first; what cannot be closed does not keep the rest open. */
function createClosing() {
  const steps: (() => Promise<unknown>)[] = []
  return {
    add: (step: () => Promise<unknown>) => void steps.push(step),
    run: async () => {
      for (const step of steps.toReversed()) await step().catch(() => undefined)
    },
  }
}

/** Runs API, worker and everything beside them on a database and a Temporal that are there. */
export async function startProduct(options: ProductOptions): Promise<Product> {
  const closing = createClosing()
  try {
    const parts = await open(options, closing)
    const workers = await startWorkers({ ...workersOptions(options), activities: createActivities(parts) })
    closing.add(() => workers.close())
    const { url } = await serve({ ...options, parts, isWorking: workers.isRunning }, closing)
    await provePath(parts.engine)
    return { url, failed: workers.failed, close: closing.run }
  } catch (error) {
    await closing.run()
    throw error
  }
}

/** The same without a worker, for a set-up where that is another process. */
export async function startServer(options: ProductOptions): Promise<Omit<Product, 'failed'>> {
  const closing = createClosing()
  const parts = await open(options, closing)
  const { url } = await serve({ ...options, parts, isWorking: () => true }, closing)
  return { url, close: closing.run }
}

type Parts = Runner & { sql: Sql; connection: Connection; engine: Engine }

const workersOptions = ({
  config,
  temporal_address,
  workflow_bundle,
  queue = 'hallpass',
}: ProductOptions) => ({
  temporal_address,
  namespace: config.temporal_namespace,
  queue,
  workflow_bundle,
})

async function open(options: ProductOptions, closing: Closing): Promise<Parts> {
  const { config, database_url, temporal_address: address, say, queue = 'hallpass' } = options
  const sql = connect(database_url)
  closing.add(() => sql.end({ timeout: 5 }))
  const applied = await migrate(sql)
  if (applied.length > 0) say(`database migrated: ${applied.join(', ')}`)

  const sealer = await openSealer(sql, config, say)
  const sandbox = await createSandbox({ ...options.sandbox, block_minimum: config.sandbox_min_level })
  const { block_refusal } = sandbox.level()
  if (block_refusal !== null) say(block_refusal)
  closing.add(() => sandbox.close())
  if (options.embedded && (await loadDemoOrganisation(sql, compile))) say('demo organisation loaded')
  if (!options.embedded) await offerFirstAdmin(sql, config.public_url, say)

  const connection = Connection.lazy({ address })
  closing.add(() => connection.close())
  const client = new Client({ connection, namespace: config.temporal_namespace })
  const engine = createEngine({ client, sql, address, queue, public_url: config.public_url, onTrouble: say })
  const { allow_private_egress } = config
  return { sql, sandbox, sealer, allow_private_egress, connection, engine }
}

/** What an older key sealed is sealed again at once, so that the older key can be taken away. */
async function openSealer(sql: Sql, config: Config, say: ProductOptions['say']): Promise<Sealer> {
  const sealer = createSealer(readSecretsKeys(config))
  const { resealed, lost } = await resealSecrets(sql, sealer)
  if (resealed > 0) say(`secrets sealed with the newest key: ${resealed}`)
  if (lost.length > 0) say(`no key opens these secrets, set them again: ${lost.join(', ')}`)
  const providers = await resealProviders(sql, sealer)
  if (providers.lost.length > 0)
    say(`no key opens the client_secret of these sign-in providers: ${providers.lost.join(', ')}`)
  return sealer
}

const isLoopback = (url: string): boolean =>
  ['localhost', '[::1]'].includes(new URL(url).hostname) || new URL(url).hostname.startsWith('127.')

/** By name alone people sign in only where the database is the product's own and nobody comes from elsewhere. */
const signInOptions = ({ config: { public_url }, embedded }: ProductOptions): SignIn => ({
  public_url,
  has_local: embedded && isLoopback(public_url),
})

type Serving = ProductOptions & { parts: Parts; isWorking: () => boolean }

/** The API and what goes on beside it. */
async function serve(options: Serving, closing: Closing): Promise<{ url: string }> {
  const { config, parts, temporal_address, temporal_ui_url, isWorking } = options
  const { sql, sandbox, sealer, connection, engine } = parts
  const log = logTo(options.say)
  await ensureExpirySchedule(engine)
  const keyring = await openSigningKeys({ sql, sealer, config, say: options.say })
  const { run_retention_days } = config
  const loops = await startLoops({ sql, engine, log, keyring, run_retention_days })
  closing.add(() => loops.close())
  const live = await createLiveHub({ sql, log })
  const app = createApp({
    sql,
    engine,
    signer: keyring.signer,
    keyring,
    scripts: createScripts(parts),
    sealer,
    sign_in: signInOptions(options),
    send: (request, signal) => sendNamed(request, config.allow_private_egress, signal),
    allow_private_egress: config.allow_private_egress,
    max_duration_mins: config.max_duration_mins,
    reads_per_minute: config.reads_per_minute,
    writes_per_minute: config.writes_per_minute,
    limits: config,
    workflow_url_base:
      temporal_ui_url && `${temporal_ui_url}/namespaces/${config.temporal_namespace}/workflows`,
    live,
    pages_folder: options.pages_folder,
    sandboxLevel: () => describeSandbox(sandbox),
    health: () => checkHealth({ sql, connection, temporal_address, isWorking, sandbox }),
    logError: log,
  })
  const server = await listen(app.fetch, config.port)
  closing.add(() => server.close())
  closing.add(() => live.close())
  return { url: `http://127.0.0.1:${server.port}` }
}

/** Ready means that a workflow has gone through worker and database; one that hangs ends the start, not the user's patience. */
async function provePath({ client, queue }: Engine): Promise<void> {
  await client.workflow.execute(workflowTypes.accessRequestExpiry, {
    workflowId: `${expirySchedule.id}-at-start-${new Date().toISOString()}-${queue}`,
    taskQueue: queue,
    args: [],
    workflowExecutionTimeout: '20s',
    staticSummary: 'The sweep at the start of the product',
  })
}
