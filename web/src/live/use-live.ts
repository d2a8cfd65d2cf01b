import type { QueryClient } from '@tanstack/react-query'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'

import { meQuery } from '../api/session.ts'
import { follow } from './follow.ts'
import type { LiveEvent } from './follow.ts'
import { refresh } from './refresh.ts'

/** A burst of events, e.g. of one decision, is one look at the server. */
const gatherMs = 150

/** Passes events on, many at once. */
function gather(flush: (events: LiveEvent[]) => void): (event: LiveEvent) => void {
  let gathered: LiveEvent[] = []
  return (event) => {
    if (gathered.push(event) > 1) return
    setTimeout(() => {
      flush(gathered)
      gathered = []
    }, gatherMs)
  }
}

/** What events keep fresh. */
const live = new Set<unknown>(['request', 'requests', 'catalogue'])

/** Nobody tells what happened before a stream began; whoever was away looks at everything else anew too. */
const catchUp = (client: QueryClient, wasAway: boolean): Promise<void> =>
  client.invalidateQueries({ predicate: ({ queryKey }) => wasAway || live.has(queryKey[0]) })

/**
 * Keeps what is on the screen as it is on the server: query keys `['request', id, …]`, `['requests', …]`, `['catalogue']`.
 * Answers until when it could; null: it does.
 */
export function useLive(): number | null {
  const client = useQueryClient()
  const [awaySince, setAwaySince] = useState<number | null>(null)
  useEffect(() => {
    const stop = new AbortController()
    let since: number | null = null
    const onAway = async (now: number | null) => {
      const wasAway = since !== null
      since = now
      if (now !== null) {
        setAwaySince(now)
        // The stream ends with the session too: whoever is signed out is asked to sign in.
        await client.invalidateQueries({ queryKey: meQuery.queryKey })
        return
      }
      await catchUp(client, wasAway)
      setAwaySince(since)
    }
    const onEvent = gather((events) => void refresh(client, events))
    follow({ onEvent, onAway: (since) => void onAway(since) }, stop.signal)
    return () => stop.abort()
  }, [client])
  return awaySince
}
