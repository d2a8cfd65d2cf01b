/** Something happened to a request that the viewer may see. */
export type LiveEvent = { kind: string; request_id: string }

/**
 * Until when something was heard, in the milliseconds of this device; null each time that a stream begins: what happened
 * before it nobody told.
 */
type AwaySince = number | null

type Listener = { onEvent: (event: LiveEvent) => void; onAway: (since: AwaySince) => void }
type Told = { event: LiveEvent } | { away_since: AwaySince }

/** A tab that has just been opened asks how the stream is. */
type Said = Told | 'how is it?'

const channelName = 'hallpass-live'
const patience = { least: 2_000, most: 15_000 }

/** The server says something every 20 s: whoever misses two beats is cut off, whatever the connection looks like. */
const silenceMs = 50_000

/** Opens the stream, and again whenever it is lost: refused, ended, silent, or this device without a network. */
function stream(tell: (told: Told) => void, signal: AbortSignal): void {
  let wait = patience.least
  let timer: ReturnType<typeof setTimeout> | undefined
  let source: EventSource | undefined
  let heardAt = Date.now()
  const later = (ms: number, then: () => void) => {
    clearTimeout(timer)
    timer = setTimeout(then, ms)
  }
  const lose = () => {
    source?.close()
    tell({ away_since: heardAt })
    later(wait, open)
    wait = Math.min(wait * 2, patience.most)
  }
  const hear = () => {
    heardAt = Date.now()
    later(silenceMs, lose)
  }
  const open = () => {
    source?.close()
    source = new EventSource('/api/v1/events')
    source.addEventListener('open', () => {
      wait = patience.least
      hear()
      tell({ away_since: null })
    })
    source.addEventListener('beat', hear)
    source.addEventListener('message', ({ data }: MessageEvent<string>) => {
      hear()
      tell({ event: JSON.parse(data) as LiveEvent })
    })
    source.addEventListener('error', lose)
    later(silenceMs, lose)
  }
  open()
  addEventListener('offline', lose, { signal })
  addEventListener('online', open, { signal })
  signal.addEventListener('abort', () => {
    clearTimeout(timer)
    source?.close()
  })
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve()))

/** Follows the stream for all tabs of this browser. */
function lead(channel: BroadcastChannel, hear: (told: Told) => void, signal: AbortSignal): void {
  let away_since: AwaySince = null
  const post = (told: Told) => {
    // A channel has no target, unlike a window.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    channel.postMessage(told)
  }
  channel.addEventListener('message', ({ data }: MessageEvent<Said>) => {
    if (data === 'how is it?' && away_since !== null) post({ away_since })
  })
  const tell = (told: Told) => {
    if ('away_since' in told) away_since = told.away_since
    hear(told)
    post(told)
  }
  stream(tell, signal)
}

/**
 * Follows the events of the server. A browser opens one stream for all its tabs, since it has few connections to a
 * server: the tab that holds the lock passes on what it hears. Ends with `signal`.
 */
export function follow({ onEvent, onAway }: Listener, signal: AbortSignal): void {
  const hear = (told: Told) => ('event' in told ? onEvent(told.event) : onAway(told.away_since))
  // Without a secure context there are no locks: every tab for itself.
  if (!('locks' in navigator)) return stream(hear, signal)
  const channel = new BroadcastChannel(channelName)
  channel.addEventListener('message', ({ data }: MessageEvent<Said>) => {
    if (data !== 'how is it?') hear(data)
  })
  signal.addEventListener('abort', () => channel.close())
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  channel.postMessage('how is it?')
  const begin = () => {
    if (signal.aborted) return Promise.resolve()
    lead(channel, hear, signal)
    return untilAborted(signal)
  }
  navigator.locks.request(channelName, { signal }, begin).catch(() => undefined)
}
