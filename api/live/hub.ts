import type { Sql } from '../../db/client.ts'
import { findSights, liveChannel } from '../../db/requests/live.ts'

/** Something happened to a request: what kind of thing, nothing of what it says. */
export type LiveEvent = { kind: string; request_id: string }

/** `mayGoOn`: whether what the viewer has shown is good still. */
export type Viewer = {
  identity_id: string
  mayGoOn: () => Promise<boolean>
  tell: (event: LiveEvent) => void
  end: () => void
}

/** Tells viewers of what happens to the requests that they may see. */
export type LiveHub = {
  /** Undefined: this identity watches often enough already. The returned function ends it. */
  watch(viewer: Viewer): (() => void) | undefined
  close(): Promise<void>
}

/** Of one identity: a browser needs one for all its tabs. */
const mostViewers = 8

/** One look at the database for what happens within a moment, however many watch. */
const gatherMs = 40

type Options = { sql: Sql; log: (message: string, error?: unknown) => void }

/** Whoever has lost its session or token meanwhile is told nothing more. */
async function tellIfGood({ mayGoOn, tell, end }: Viewer, events: LiveEvent[]): Promise<void> {
  if (events.length === 0) return
  if (await mayGoOn()) events.forEach(tell)
  else end()
}

/** After a gap nobody knows what happened meanwhile: whoever watches comes again, and looks at everything anew. */
const endAll = (viewers: Iterable<Viewer>): void => [...viewers].forEach(({ end }) => end())

export async function createLiveHub({ sql, log }: Options): Promise<LiveHub> {
  const viewers = new Set<Viewer>()
  let gathered: LiveEvent[] = []

  async function deliver(events: LiveEvent[]): Promise<void> {
    const watching = new Set([...viewers].map(({ identity_id }) => identity_id))
    const requests = new Set(events.map(({ request_id }) => request_id))
    const sights = await findSights(sql, [...requests], [...watching])
    const seen = new Set(sights.map(({ request_id, identity_id }) => `${request_id} ${identity_id}`))
    const visibleTo = ({ identity_id }: Viewer) =>
      events.filter(({ request_id }) => seen.has(`${request_id} ${identity_id}`))
    await Promise.all([...viewers].map((viewer) => tellIfGood(viewer, visibleTo(viewer))))
  }

  function flush(): void {
    const events = gathered
    gathered = []
    if (viewers.size === 0) return
    deliver(events).catch((error: unknown) => {
      log('telling viewers of events failed, they come again', error)
      endAll(viewers)
    })
  }

  function hear(payload: string): void {
    if (gathered.push(JSON.parse(payload) as LiveEvent) === 1) setTimeout(flush, gatherMs)
  }

  const listening = await sql.listen(liveChannel, hear, () => endAll(viewers))
  return {
    watch(viewer) {
      const own = [...viewers].filter(({ identity_id }) => identity_id === viewer.identity_id)
      if (own.length >= mostViewers) return undefined
      viewers.add(viewer)
      return () => void viewers.delete(viewer)
    },
    async close() {
      endAll(viewers)
      await listening.unlisten().catch(() => undefined)
    },
  }
}
