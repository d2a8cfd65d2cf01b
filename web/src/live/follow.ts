/** Something happened to a request that the viewer may see. */
export type LiveEvent = { kind: string; request_id: string }

export const liveStates = ['connecting', 'live', 'away'] as const
export type LiveState = (typeof liveStates)[number]

type Listener = { onEvent: (event: LiveEvent) => void; onState: (state: LiveState) => void }
type Told = { event: LiveEvent } | { state: LiveState }

const channelName = 'hallpass-live'
const patience = { least: 2_000, most: 60_000 }

/** Opens the stream, and again when it ends for good: a refused EventSource does not try by itself. */
function stream(tell: (told: Told) => void, signal: AbortSignal): void {
  let wait = patience.least
  let timer: ReturnType<typeof setTimeout> | undefined
  let source: EventSource | undefined
  const open = () => {
    source = new EventSource('/api/v1/events')
    source.addEventListener('open', () => {
      wait = patience.least
      tell({ state: 'live' })
    })
    source.addEventListener('message', ({ data }: MessageEvent<string>) =>
      tell({ event: JSON.parse(data) as LiveEvent }),
    )
    source.addEventListener('error', () => {
      tell({ state: 'away' })
      if (source?.readyState !== EventSource.CLOSED) return
      timer = setTimeout(open, wait)
      wait = Math.min(wait * 2, patience.most)
    })
  }
  open()
  signal.addEventListener('abort', () => {
    clearTimeout(timer)
    source?.close()
  })
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve()))

/**
 * Follows the events of the server. A browser opens one stream for all its tabs, since it has few connections to a
 * server: the tab that holds the lock passes on what it hears. Ends with `signal`.
 */
export function follow({ onEvent, onState }: Listener, signal: AbortSignal): void {
  const hear = (told: Told) => ('event' in told ? onEvent(told.event) : onState(told.state))
  // Without a secure context there are no locks: every tab for itself.
  if (!('locks' in navigator)) return stream(hear, signal)
  const channel = new BroadcastChannel(channelName)
  channel.addEventListener('message', ({ data }: MessageEvent<Told>) => hear(data))
  signal.addEventListener('abort', () => channel.close())
  const lead = () => {
    if (signal.aborted) return Promise.resolve()
    const tell = (told: Told) => {
      hear(told)
      // A channel has no target, unlike a window.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      channel.postMessage(told)
    }
    stream(tell, signal)
    return untilAborted(signal)
  }
  navigator.locks.request(channelName, { signal }, lead).catch(() => undefined)
}
