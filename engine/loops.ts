import { setTimeout as sleep } from 'node:timers/promises'

import type { Sql } from '../db/client.ts'
import { outboxChannel } from '../db/outbox.ts'
import { fanOutBatch, fanOutEvents } from '../db/scripts/deliveries.ts'
import { scheduleChannel } from '../db/scripts/schedules.ts'
import { signingKeyChannel } from '../db/signing-keys/find.ts'
import { createBell } from './bell.ts'
import type { Bell } from './bell.ts'
import { startDeliveries } from './deliveries.ts'
import { dispatchEvents } from './outbox.ts'
import { reconcile } from './reconcile.ts'
import { relayCommands } from './relay.ts'
import { repeat } from './repeat.ts'
import type { Loop } from './repeat.ts'
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

/** What another process, or another part of this one, tells these loops of. */
function createEars() {
  const bells = {
    triggers: createBell(),
    deliveries: createBell(),
    schedules: createBell(),
    keys: createBell(),
  }
  const savedTasks = new Set<string>()
  const ring = () => [bells.triggers, bells.deliveries].forEach((bell) => bell.ring())
  return {
    ...bells,
    savedTasks,
    listen: async (sql: Sql) => [
      await sql.listen(signingKeyChannel, bells.keys.ring),
      await sql.listen(outboxChannel, ring),
      await sql.listen(scheduleChannel, (id) => {
        savedTasks.add(id)
        bells.schedules.ring()
      }),
    ],
  }
}

type Ears = ReturnType<typeof createEars>

/** The work of the loops; whatever lasts looks at `signal`. */
function createWork({ sql, engine, log, keyring }: Options, { savedTasks }: Ears, signal: AbortSignal) {
  return {
    drainEvents: async () => {
      while (!signal.aborted && (await dispatchEvents(sql, engine)) === 20);
    },
    drainDeliveries: async () => {
      while (!signal.aborted && (await fanOutEvents(sql)) === fanOutBatch);
      while (!signal.aborted && (await startDeliveries(sql, engine)) === 20);
    },
    startMissing: async () => {
      const { started } = await reconcile(sql, engine)
      if (started.length > 0) log(`started the missing workflow(s) of ${started.join(', ')}`)
    },
    /** What fails here is made up for when all are looked at. */
    syncSaved: async () => {
      const saved = [...savedTasks]
      savedTasks.clear()
      for (const id of saved) await syncSchedule(sql, engine, id)
    },
    keepSchedules: async () => {
      const ids = await reconcileSchedules(sql, engine)
      if (ids.length > 0) log(`brought the schedule(s) of ${ids.join(', ')} in line`)
    },
    keepKeys: async () => {
      for (const note of await keyring.keep()) log(note)
    },
  }
}

function loopsOf(options: Options, ears: Ears, signal: AbortSignal): Loop[] {
  const { sql, engine, keyring, sweep_every_ms = 60_000, reconcile_every_ms = 30_000 } = options
  const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined)
  const every = (ms: number) => () => pause(ms)
  const onRing = (bell: Bell, ms: number) => () => bell.heard(pause(ms))
  const work = createWork(options, ears, signal)
  const relay = () => relayCommands(sql, engine)
  const sweep = () => sweepAll(options)
  return [
    { name: 'telling trigger tasks', wait: onRing(ears.triggers, pollMs), work: work.drainEvents },
    { name: 'delivering events', wait: onRing(ears.deliveries, pollMs), work: work.drainDeliveries },
    { name: 'relaying commands', wait: every(pollMs), work: relay },
    { name: 'reading the signing keys', wait: onRing(ears.keys, pollMs), work: () => keyring.refresh() },
    { name: 'keeping the signing keys', wait: every(sweep_every_ms), work: work.keepKeys },
    { name: 'reconciling', wait: every(reconcile_every_ms), work: work.startMissing },
    { name: 'saving schedules', wait: onRing(ears.schedules, reconcile_every_ms), work: work.syncSaved },
    { name: 'keeping schedules', wait: every(reconcile_every_ms), work: work.keepSchedules },
    { name: 'sweeping', wait: every(sweep_every_ms), work: sweep },
  ]
}

/**
 * What goes on beside the API: commands that got no answer, outgoing events, workflows that are missing, and the sweep
 * that ends what is overdue even while the engine is away. Several processes may do this at once.
 */
export async function startLoops(options: Options): Promise<Loops> {
  const stop = new AbortController()
  const ears = createEars()
  const listening = await ears.listen(options.sql)
  const running = loopsOf(options, ears, stop.signal).map((loop) => repeat(loop, stop.signal, options.log))
  return {
    async close() {
      stop.abort()
      await Promise.all(running)
      await Promise.allSettled(listening.map((channel) => channel.unlisten()))
    },
  }
}
