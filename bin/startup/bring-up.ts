import { searchAttributes } from '../../workflows/contract.ts'
import type { Config } from '../config.ts'
import type { Product } from '../product.ts'
import { writeRunFile } from './run-file.ts'
import { type Part, provideDatabase, provideTemporal, type StartContext } from './servers.ts'
import { together } from './together.ts'

/** A product that is ready, and the servers that were started for it. */
export type Started = { product: Product; parts: Part[] }

/** Starts the servers and the product on them, then tells the user and other commands where it is. */
export async function bringUp(config: Config, context: StartContext): Promise<Started> {
  const [database, temporal, workflow_bundle, pages_folder, { startProduct }] = await startServers(
    config,
    context,
  )
  context.signal.throwIfAborted()
  const addresses = {
    database_url: database.url,
    embedded: config.database_url === undefined,
    temporal_address: temporal.address,
    temporal_ui_url: temporal.ui_url,
  }
  const product = await startProduct({
    config,
    ...addresses,
    workflow_bundle,
    pages_folder,
    say: context.say,
  })
  if (!context.signal.aborted) {
    const { public_url, temporal_namespace } = config
    writeRunFile(config.data_dir, { url: product.url, public_url, ...addresses, temporal_namespace })
    announce(product.url, addresses, context.say)
  }
  return { product, parts: [...database.parts, ...temporal.parts] }
}

/** The slow modules are loaded while the servers start. */
function startServers(config: Config, { say, signal }: StartContext) {
  return together(signal, (signal) => [
    provideDatabase(config, { say, signal }),
    provideTemporal(config, searchAttributes, { say, signal }),
    import('../workflow-bundle.ts').then(({ workflowBundle }) => workflowBundle(config.data_dir)),
    import('../web-bundle.ts').then(({ webBundle }) => webBundle(config.data_dir)),
    import('../product.ts'),
  ])
}

function announce(
  url: string,
  { embedded, temporal_ui_url }: { embedded: boolean; temporal_ui_url: string | null },
  say: (line: string) => void,
): void {
  say(`Hallpass is ready after ${(performance.now() / 1000).toFixed(1)} s: ${url}`)
  say(`API documents: ${url}/api/docs`)
  if (temporal_ui_url !== null) say(`Temporal UI:   ${temporal_ui_url}`)
  if (embedded) {
    say(`Open ${url} and sign in as alice (asks), bob (approves) or admin.`)
    say('For the API, a token: npm run -s token -- alice@example.com')
    say('PostgreSQL is embedded: for evaluation, not for production. See DATABASE_URL and TEMPORAL_ADDRESS.')
  }
  say('Ctrl-C stops it; the data stays.')
}
