import { setTimeout as sleep } from 'node:timers/promises'

import { outboxChannel } from '../db/outbox.ts'
import { fanOutBatch, fanOutEvents } from '../db/scripts/deliveries.ts'
import { scheduleChannel } from '../db/scripts/schedules.ts'
import { signingKeyChannel } from '../db/signing-keys/find.ts'
import { createBell } from './bell.ts'
import { startDeliveries } from './deliveries.ts'
import { dispatchEvents } from './outbox.ts'
import { reconcile } from './reconcile.ts'
import { relayCommands } from './relay.ts'
import { sweepAll } from './sweep.ts'
import type { Sweeping } from './sweep.ts'
import { reconcileSchedules, syncSchedule } from './task-schedules.ts'

export type Loops = { close(): Promise<void> }

type Options = Sweeping & {
  keyring: { refresh(): Promise<void>; keep(): Promise<string[]> }
  sweep_every_ms?: number
  reconcile_every_ms?: number
}

const pollMs = 1_000

/**
 * What goes on beside the API: commands that got no answer, outgoing events, workflows that are missing, and the sweep
 * that ends what is overdue even while the engine is away. Several processes may do this at once.
 */
export async function startLoops(options: Options): Promise<Loops> {
  const { sql, engine, log, keyring, sweep_every_ms = 60_000, reconcile_every_ms = 30_000 } = options
  const stop = new AbortController()
  const triggers = createBell()
  const deliveries = createBell()
  const schedules = createBell()
  const keys = createBell()
  const savedTasks = new Set<string>()
  const ring = () => [triggers, deliveries].forEach((bell) => bell.ring())

  const pause = (ms: number) => sleep(ms, undefined, { signal: stop.signal }).catch(() => undefined)

  async function repeat(
    name: string,
    wait: () => Promise<unknown>,
    work: () => Promise<unknown>,
  ): Promise<void> {
    let wasWell = true
    while (!stop.signal.aborted) {
      try {
        await work()
        if (!wasWell) log(`${name} is well again`)
        wasWell = true
      } catch (error) {
        if (wasWell) log(`${name} failed, trying on`, error)
        wasWell = false
      }
      await wait()
    }
  }

  async function drainEvents(): Promise<void> {
    while (!stop.signal.aborted && (await dispatchEvents(sql, engine)) === 20);
  }

  async function drainDeliveries(): Promise<void> {
    while (!stop.signal.aborted && (await fanOutEvents(sql)) === fanOutBatch);
    while (!stop.signal.aborted && (await startDeliveries(sql, engine)) === 20);
  }

  async function startMissing(): Promise<void> {
    const { started } = await reconcile(sql, engine)
    if (started.length > 0) log(`started the missing workflow(s) of ${started.join(', ')}`)
  }

  /** What fails here is made up for when all are looked at. */
  async function syncSaved(): Promise<void> {
    const saved = [...savedTasks]
    savedTasks.clear()
    for (const id of saved) await syncSchedule(sql, engine, id)
  }

  async function keepSchedules(): Promise<void> {
    const ids = await reconcileSchedules(sql, engine)
    if (ids.length > 0) log(`brought the schedule(s) of ${ids.join(', ')} in line`)
  }

  async function keepKeys(): Promise<void> {
    for (const note of await keyring.keep()) log(note)
  }

  const listening = [
    await sql.listen(signingKeyChannel, keys.ring),
    await sql.listen(outboxChannel, ring),
    await sql.listen(scheduleChannel, (id) => {
      savedTasks.add(id)
      schedules.ring()
    }),
  ]
  const running = [
    repeat('telling trigger tasks', () => triggers.heard(pause(pollMs)), drainEvents),
    repeat('delivering events', () => deliveries.heard(pause(pollMs)), drainDeliveries),
    repeat(
      'relaying commands',
      () => pause(pollMs),
      () => relayCommands(sql, engine),
    ),
    repeat('reading the signing keys', () => keys.heard(pause(pollMs)), keyring.refresh),
    repeat('keeping the signing keys', () => pause(sweep_every_ms), keepKeys),
    repeat('reconciling', () => pause(reconcile_every_ms), startMissing),
    repeat('saving schedules', () => schedules.heard(pause(reconcile_every_ms)), syncSaved),
    repeat('keeping schedules', () => pause(reconcile_every_ms), keepSchedules),
    repeat(
      'sweeping',
      () => pause(sweep_every_ms),
      () => sweepAll(options),
    ),
  ]
  return {
    async close() {
      stop.abort()
      ring()
      await Promise.all(running)
      await Promise.allSettled(listening.map((channel) => channel.unlisten()))
    },
  }
}
