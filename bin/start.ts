import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { ConfigError, type Config, loadConfig } from './config.ts'
import { lockDirectory } from './embedded/directory-lock.ts'
import { assertPortFree } from './embedded/port.ts'
import { waitUntil } from './embedded/process.ts'
import { makePassableFolder } from './embedded/private-file.ts'
import type { Product } from './product.ts'
import { isRunning } from './setup/process-identity.mjs'
import { bringUp, type Started } from './startup/bring-up.ts'
import { findRunningProduct, removeRunFile } from './startup/run-file.ts'
import { type Part, stopServers } from './startup/servers.ts'
import { watchForStop } from './startup/stop-requests.ts'

/** Why the product stops, and the exit code that tells it. */
type End = { code: 0 | 1; reason: string }

const patience = { settle_ms: 3000, close_ms: 30_000 }

// A closed pipe or terminal must not end the product.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
process.exit(await main())

async function main(): Promise<number> {
  try {
    const config = loadConfig(process.env)
    await takeDataDirectory(config)
    return await run(config)
  } catch (error) {
    const lines = error instanceof ConfigError ? error.message : `cannot start: ${messageOf(error)}`
    process.stderr.write(`${lines.replace(/^/gm, '  ')}\n`)
    return 1
  }
}

async function takeDataDirectory({ data_dir, port }: Config): Promise<void> {
  process.umask(0o077)
  makePassableFolder(data_dir)
  if (!lockDirectory(path.join(data_dir, 'lock'))) {
    const where = findRunningProduct(data_dir)?.url ?? 'it is just starting'
    throw new Error(
      `another copy runs on ${data_dir} (${where}): stop it, or set DATA_DIR and PORT for this one`,
    )
  }
  await assertPortFree(port, 'PORT')
}

/** Starts everything, waits for the reason to stop, and stops everything in the reverse order. */
async function run(config: Config): Promise<number> {
  const stop = watchForStop({ isStartedByNpm: process.env['npm_lifecycle_event'] !== undefined })
  const crashed = new Promise<End>((resolve) =>
    process.on('uncaughtException', (error) => resolve({ code: 1, reason: error.stack ?? error.message })),
  )
  const starting = bringUp(config, { say, signal: stop.signal })
  const end = await Promise.race([
    starting.then(
      firstEnd,
      (error: unknown): End => ({ code: 1, reason: `cannot start: ${messageOf(error)}` }),
    ),
    stop.first.then((reason): End => ({ code: 0, reason })),
    crashed,
  ])
  say(end.code === 0 ? `stopping (${end.reason})` : end.reason)
  const isOrderly = await Promise.race([
    stopAll(config, starting).then(() => true),
    stop.again.then(() => false),
  ])
  if (isOrderly) return end.code
  say('stopping at once')
  await stopServers(config, 'at_once')
  return 130
}

/** Waits until a part of a running product ends by itself. */
async function firstEnd({ product, parts }: Started): Promise<End> {
  const failure = product.failed.then((error) => messageOf(error))
  return { code: 1, reason: await Promise.race([failure, ...parts.map(deathOf)]) }
}

async function deathOf({ name, identity, log_file }: Part): Promise<string> {
  await waitUntil(() => !isRunning(identity), { patience_ms: Number.POSITIVE_INFINITY, every_ms: 1000 })
  return `${name} ended by itself; its log is ${log_file}`
}

/** A start that is under way gets a moment to notice the abort, so that what it has begun is known. */
async function stopAll(config: Config, starting: Promise<Started>): Promise<void> {
  const began = performance.now()
  const started = await Promise.race([starting.catch(() => undefined), sleep(patience.settle_ms, undefined)])
  if (started) await closeProduct(started.product)
  removeRunFile(config.data_dir)
  await stopServers(config, 'orderly')
  say(`stopped in ${((performance.now() - began) / 1000).toFixed(1)} s`)
}

async function closeProduct(product: Product): Promise<void> {
  try {
    await Promise.race([product.close(), sleep(patience.close_ms)])
  } catch (error) {
    say(`closing: ${messageOf(error)}`)
  }
}

function say(line: string): void {
  process.stdout.write(`  ${line}\n`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
