import type { QueryClient } from '@tanstack/react-query'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'

import { follow } from './follow.ts'
import type { LiveEvent, LiveState } from './follow.ts'
import { refresh } from './refresh.ts'

/** A burst of events, e.g. of one decision, is one look at the server. */
const gatherMs = 150

/** Whoever was away for a while looks at everything anew. */
function heedState(client: QueryClient, before: LiveState, now: LiveState): void {
  if (before === 'away' && now === 'live') void client.invalidateQueries()
}

/** Keeps what is on the screen as it is on the server: query keys `['request', id, …]`, `['requests', …]`, `['catalogue']`. */
export function useLive(): void {
  const client = useQueryClient()
  useEffect(() => {
    const stop = new AbortController()
    let gathered: LiveEvent[] = []
    let state: LiveState = 'connecting'
    const flush = () => {
      void refresh(client, gathered)
      gathered = []
    }
    const onEvent = (event: LiveEvent) => {
      if (gathered.push(event) === 1) setTimeout(flush, gatherMs)
    }
    const onState = (now: LiveState) => {
      heedState(client, state, now)
      state = now
    }
    follow({ onEvent, onState }, stop.signal)
    return () => stop.abort()
  }, [client])
}
