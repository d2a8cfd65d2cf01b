import type { LiveEvent } from './hub.ts'

const encoder = new TextEncoder()

/** Whoever does not read for so many events is cut off; the browser comes again. */
const mostUnread = 500

/** The sending end of a `text/event-stream`. */
export type EventStream = {
  body: ReadableStream<Uint8Array>
  tell: (event: LiveEvent) => void
  /** Keeps proxies from closing what seems dead, and tells the page that it is not. */
  beat: () => void
  end: () => void
}

/** @param onEnd once, whoever ends it */
export function createEventStream(onEnd: () => void): EventStream {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const finish = (): ReadableStreamDefaultController<Uint8Array> | undefined => {
    const open = controller
    controller = undefined
    if (open !== undefined) onEnd()
    return open
  }
  const end = () => finish()?.close()
  const write = (text: string) => {
    if ((controller?.desiredSize ?? 0) < -mostUnread) return end()
    controller?.enqueue(encoder.encode(text))
  }
  const body = new ReadableStream<Uint8Array>({
    start(opened) {
      controller = opened
      write('retry: 2000\n: hello\n\n')
    },
    cancel: () => void finish(),
  })
  return {
    body,
    tell: (event) => write(`data: ${JSON.stringify(event)}\n\n`),
    beat: () => write('event: beat\ndata:\n\n'),
    end,
  }
}
